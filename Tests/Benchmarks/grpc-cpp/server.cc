// The gRPC C++ server that ours is compared with: bytes in, the same bytes out, no copy of them (a ByteBuffer counts
// references). In the two ways that gRPC C++ has, of which the driver takes the faster:
//   callback  gRPC's own threads call the reactor
//   queue     one thread polls one completion queue
// Usage: grpc-server callback|queue HOST:PORT|unix:PATH [CERTIFICATE KEY]
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "echo.grpc.pb.h"
#include "files.h"

namespace {

using benchmark::Echo;

class CallbackEcho final : public Echo::WithRawCallbackMethod_Synchronous<Echo::Service> {
  grpc::ServerUnaryReactor* Synchronous(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
    *response = *request;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

using QueueEcho = Echo::WithRawMethod_Synchronous<Echo::Service>;

// Calls that the library may take in before we have answered the ones before: enough for 8 connections × 32.
constexpr int kWaitingCalls = 512;

// One call on the completion queue: asked for, then answered, then replaced by the next.
class QueuedCall {
 public:
  QueuedCall(QueueEcho* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), writer_(&context_) {
    service_->RequestSynchronous(&context_, &request_, &writer_, queue_, queue_, this);
  }

  void Proceed(bool ok) {
    if (is_answered_ || !ok) {
      delete this;
      return;
    }
    new QueuedCall(service_, queue_);
    is_answered_ = true;
    writer_.Finish(request_, grpc::Status::OK, this);
  }

 private:
  QueueEcho* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::ServerContext context_;
  grpc::ByteBuffer request_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> writer_;
  bool is_answered_ = false;
};

std::shared_ptr<grpc::ServerCredentials> Credentials(int count, char** arguments) {
  if (count < 5) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({ReadFile(arguments[4]), ReadFile(arguments[3])});
  return grpc::SslServerCredentials(options);
}

int Serve(grpc::ServerBuilder& builder, grpc::Service* service, const char* address) {
  builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    std::fprintf(stderr, "grpc-server: can't listen on %s\n", address);
    return 1;
  }
  server->Wait();
  return 0;
}

int ServeFromQueue(grpc::ServerBuilder& builder, const char* address) {
  QueueEcho service;
  builder.RegisterService(&service);
  std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    std::fprintf(stderr, "grpc-server: can't listen on %s\n", address);
    return 1;
  }
  for (int i = 0; i < kWaitingCalls; i++) new QueuedCall(&service, queue.get());
  void* tag;
  bool ok;
  while (queue->Next(&tag, &ok)) static_cast<QueuedCall*>(tag)->Proceed(ok);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string way = count > 1 ? arguments[1] : "";
  if ((count != 3 && count != 5) || (way != "callback" && way != "queue")) {
    std::fprintf(stderr, "usage: grpc-server callback|queue HOST:PORT|unix:PATH [CERTIFICATE KEY]\n");
    return 2;
  }
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(arguments[2], Credentials(count, arguments), &port);
  if (way == "queue") return ServeFromQueue(builder, arguments[2]);
  CallbackEcho service;
  return Serve(builder, &service, arguments[2]);
}
