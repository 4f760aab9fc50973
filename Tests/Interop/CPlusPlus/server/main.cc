// `grpc.testing.TestService` on gRPC C++: server ADDRESS [CERTIFICATE KEY]
//
// Source of what it does: gRPC's doc/interop-test-descriptions.md.
#include <chrono>
#include <iostream>
#include <thread>

#include "testing.h"

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

namespace {

void fill(testing::Payload *payload, int32_t size) {
  payload->set_type(testing::COMPRESSABLE);
  payload->set_body(std::string(size, '\0'));
}

void echo_metadata(ServerContext *context) {
  for (const auto &[name, value] : context->client_metadata()) {
    const std::string key(name.data(), name.length()), content(value.data(), value.length());
    if (key == echo_initial) context->AddInitialMetadata(key, content);
    if (key == echo_trailing) context->AddTrailingMetadata(key, content);
  }
}

template <class Request> Status check_compression(ServerContext *context, const Request &request) {
  if (!request.has_expect_compressed()) return Status::OK;
  const bool compressed = was_compressed(context->c_call());
  if (compressed == request.expect_compressed().value()) return Status::OK;
  return Status(StatusCode::INVALID_ARGUMENT, compressed ? "the request is compressed" : "the request is not compressed");
}

template <class Request> Status wanted_status(const Request &request) {
  if (!request.has_response_status()) return Status::OK;
  return Status(static_cast<StatusCode>(request.response_status().code()), request.response_status().message());
}

template <class Stream>
void answer(const testing::StreamingOutputCallRequest &request, Stream *stream) {
  for (const auto &parameters : request.response_parameters()) {
    // What the request asks for, not a wait for something.
    if (parameters.interval_us() > 0) std::this_thread::sleep_for(std::chrono::microseconds(parameters.interval_us()));
    testing::StreamingOutputCallResponse response;
    fill(response.mutable_payload(), parameters.size());
    grpc::WriteOptions options;
    if (!parameters.compressed().value()) options.set_no_compression();
    if (!stream->Write(response, options)) return;
  }
}

bool asks_for_compression(const testing::StreamingOutputCallRequest &request) {
  for (const auto &parameters : request.response_parameters()) {
    if (parameters.compressed().value()) return true;
  }
  return false;
}

class TestService final : public testing::TestService::Service {
  Status EmptyCall(ServerContext *, const testing::Empty *, testing::Empty *) override { return Status::OK; }

  Status UnaryCall(
      ServerContext *context, const testing::SimpleRequest *request, testing::SimpleResponse *response) override {
    echo_metadata(context);
    if (const Status status = check_compression(context, *request); !status.ok()) return status;
    if (request->response_compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    fill(response->mutable_payload(), request->response_size());
    return wanted_status(*request);
  }

  Status StreamingInputCall(
      ServerContext *context, grpc::ServerReader<testing::StreamingInputCallRequest> *requests,
      testing::StreamingInputCallResponse *response) override {
    testing::StreamingInputCallRequest request;
    size_t size = 0;
    while (requests->Read(&request)) {
      if (const Status status = check_compression(context, request); !status.ok()) return status;
      size += request.payload().body().size();
    }
    response->set_aggregated_payload_size(static_cast<int32_t>(size));
    return Status::OK;
  }

  Status StreamingOutputCall(
      ServerContext *context, const testing::StreamingOutputCallRequest *request,
      grpc::ServerWriter<testing::StreamingOutputCallResponse> *responses) override {
    echo_metadata(context);
    if (asks_for_compression(*request)) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    const Status status = wanted_status(*request);
    if (status.ok()) answer(*request, responses);
    return status;
  }

  Status FullDuplexCall(
      ServerContext *context,
      grpc::ServerReaderWriter<testing::StreamingOutputCallResponse, testing::StreamingOutputCallRequest> *stream) override {
    echo_metadata(context);
    testing::StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (const Status status = wanted_status(request); !status.ok()) return status;
      answer(request, stream);
    }
    return Status::OK;
  }
};

std::shared_ptr<grpc::ServerCredentials> credentials(int count, char **arguments) {
  if (count < 4) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({read_file(arguments[3]), read_file(arguments[2])});
  return grpc::SslServerCredentials(options);
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 2 && count != 4) {
    std::cout << "usage: server ADDRESS [CERTIFICATE KEY]\n";
    return 2;
  }
  std::string address = arguments[1];
  TestService service;
  int port = 0;
  grpc::ServerBuilder builder;
  // A port that was just given back to the system is not to be shared with another server.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort(address, credentials(count, arguments), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    std::cout << address << ": can't listen there\n";
    return 1;
  }
  if (address.rfind("unix:", 0) != 0) address = address.substr(0, address.rfind(':') + 1) + std::to_string(port);
  std::cout << "listening on " << address << std::endl;
  server->Wait();
}
