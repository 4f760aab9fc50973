// Cases about compression.
#include "cases.h"
#include "expectations.h"

namespace {

void call_unary(
    const Stubs &stubs, const testing::SimpleRequest &request, grpc_compression_algorithm algorithm,
    grpc::StatusCode code, const bool *response_compressed = nullptr) {
  grpc::ClientContext context;
  context.set_compression_algorithm(algorithm);
  testing::SimpleResponse response;
  expect_status("UnaryCall", stubs.service->UnaryCall(&context, request, &response), code);
  if (code != grpc::StatusCode::OK) return;
  expect_zeros("response", response, 314159);
  if (response_compressed != nullptr) {
    expect("the response is compressed", was_compressed(context.c_call()), *response_compressed);
  }
}

testing::StreamingInputCallRequest input_request(bool compressed, size_t size) {
  testing::StreamingInputCallRequest request;
  request.mutable_expect_compressed()->set_value(compressed);
  request.mutable_payload()->set_body(zeros(size));
  return request;
}

}  // namespace

void client_compressed_unary(const Stubs &stubs) {
  auto request = large_request();
  request.mutable_expect_compressed()->set_value(true);
  call_unary(stubs, request, GRPC_COMPRESS_NONE, grpc::StatusCode::INVALID_ARGUMENT);
  call_unary(stubs, request, GRPC_COMPRESS_GZIP, grpc::StatusCode::OK);
  request.mutable_expect_compressed()->set_value(false);
  call_unary(stubs, request, GRPC_COMPRESS_NONE, grpc::StatusCode::OK);
}

void server_compressed_unary(const Stubs &stubs) {
  for (const bool compressed : {true, false}) {
    auto request = large_request();
    request.mutable_response_compressed()->set_value(compressed);
    call_unary(stubs, request, GRPC_COMPRESS_NONE, grpc::StatusCode::OK, &compressed);
  }
}

void client_compressed_streaming(const Stubs &stubs) {
  const auto plain = grpc::WriteOptions().set_no_compression();
  {
    grpc::ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    testing::StreamingInputCallResponse response;
    const auto stream = stubs.service->StreamingInputCall(&context, &response);
    // The server may have ended the call already: its status counts.
    if (stream->Write(input_request(true, 27182), plain)) stream->WritesDone();
    expect_status("the call that probes", stream->Finish(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  testing::StreamingInputCallResponse response;
  const auto stream = stubs.service->StreamingInputCall(&context, &response);
  expect("the compressed request is taken", stream->Write(input_request(true, 27182)));
  expect("the uncompressed request is taken", stream->Write(input_request(false, 45904), plain));
  stream->WritesDone();
  expect_ok("StreamingInputCall", stream->Finish());
  expect("aggregated_payload_size", response.aggregated_payload_size(), 73086);
}

void server_compressed_streaming(const Stubs &stubs) {
  const std::pair<int32_t, bool> wanted[] = {{31415, true}, {92653, false}};
  testing::StreamingOutputCallRequest request;
  for (const auto &[size, compressed] : wanted) {
    auto *parameters = request.add_response_parameters();
    parameters->set_size(size);
    parameters->mutable_compressed()->set_value(compressed);
  }
  grpc::ClientContext context;
  const auto stream = stubs.service->StreamingOutputCall(&context, request);
  testing::StreamingOutputCallResponse response;
  for (const auto &[size, compressed] : wanted) {
    const std::string what = "response of " + std::to_string(size) + " bytes";
    expect(what, stream->Read(&response));
    expect_zeros(what, response, size);
    expect(what + " is compressed", was_compressed(context.c_call()), compressed);
  }
  expect("no third response", !stream->Read(&response));
  expect_ok("StreamingOutputCall", stream->Finish());
}
