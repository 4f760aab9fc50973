// The gRPC C++ client that ours is compared with: unary calls on one connection, a fixed number of them in flight, one
// thread that polls one completion queue. Prints what ran as a JSON object.
// Usage: grpc-client TARGET METHOD CALLS IN_FLIGHT BYTES [CA]
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "files.h"

namespace {

// As the load's: see driver/h2load.py.
constexpr char kRequestId[] = "3f1c2a9e-7b0d-4c55-9a1e-0d2f6b8c4e71";
constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr auto kTimeout = std::chrono::seconds(10);

double CPUSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

class Load {
 public:
  Load(std::shared_ptr<grpc::Channel> channel, std::string method, size_t bytes)
      : stub_(std::move(channel)), method_(std::move(method)), message_(bytes, 'x'), bytes_(bytes) {}

  // Makes `calls` calls and returns when all have been answered.
  void Run(long calls, long in_flight) {
    left_ = calls;
    open_ = 0;
    for (long i = 0; i < in_flight && left_ > 0; i++) Start();
    void* tag;
    bool ok;
    while (open_ > 0 && queue_.Next(&tag, &ok)) {
      std::unique_ptr<Call> call(static_cast<Call*>(tag));
      open_--;
      if (!ok || !call->status.ok() || call->response.Length() != bytes_) {
        std::fprintf(stderr, "grpc-client: status %d, %zu bytes: %s\n", call->status.error_code(),
                     call->response.Length(), call->status.error_message().c_str());
        std::exit(1);
      }
      if (left_ > 0) Start();
    }
  }

 private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
  };

  void Start() {
    left_--;
    open_++;
    Call* call = new Call;
    call->context.AddMetadata("x-request-id", kRequestId);
    call->context.AddMetadata("traceparent", kTraceparent);
    call->context.set_deadline(std::chrono::system_clock::now() + kTimeout);
    // The slice is made anew for every call, as an encoder would.
    const grpc::Slice slice(message_);
    const grpc::ByteBuffer request(&slice, 1);
    call->reader = stub_.PrepareUnaryCall(&call->context, method_, request, &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call);
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  std::string method_, message_;
  size_t bytes_;
  long left_ = 0, open_ = 0;
};

std::shared_ptr<grpc::ChannelCredentials> Credentials(const char* authority) {
  if (!authority) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFile(authority);
  return grpc::SslCredentials(options);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 6 || count > 7) {
    std::fprintf(stderr, "usage: grpc-client TARGET METHOD CALLS IN_FLIGHT BYTES [CA]\n");
    return 2;
  }
  const long calls = std::atol(arguments[3]), in_flight = std::atol(arguments[4]);
  const long bytes = std::atol(arguments[5]);
  if (calls <= 0 || in_flight <= 0 || bytes < 0) {
    std::fprintf(stderr, "grpc-client: CALLS and IN_FLIGHT have to be above 0, BYTES not below\n");
    return 2;
  }
  Load load(grpc::CreateChannel(arguments[1], Credentials(count == 7 ? arguments[6] : nullptr)), arguments[2],
            static_cast<size_t>(bytes));
  load.Run(calls / 10 + in_flight, in_flight);  // warms it up
  const double cpu = CPUSeconds();
  const auto start = std::chrono::steady_clock::now();
  load.Run(calls, in_flight);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"calls\": %ld, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", calls, seconds.count(),
              CPUSeconds() - cpu);
  return 0;
}
