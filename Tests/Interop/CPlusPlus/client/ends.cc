// Cases about metadata, about statuses, and about calls that end early.
#include <chrono>

#include "cases.h"
#include "expectations.h"

namespace {

const std::string initial_value = "test_initial_metadata_value", trailing_value = "\xab\xab\xab";

void add_metadata(grpc::ClientContext *context) {
  context->AddMetadata(echo_initial, initial_value);
  context->AddMetadata(echo_trailing, trailing_value);
}

using Received = std::multimap<grpc::string_ref, grpc::string_ref>;

void expect_value(const std::string &what, const Received &metadata, const std::string &name, const std::string &value) {
  expect<size_t>(what + ": values of " + name, metadata.count(name), 1);
  const auto found = metadata.find(name)->second;
  expect(what + ": " + name, std::string(found.data(), found.length()), value);
}

void expect_metadata(const std::string &what, const grpc::ClientContext &context) {
  expect_value(what, context.GetServerInitialMetadata(), echo_initial, initial_value);
  expect_value(what, context.GetServerTrailingMetadata(), echo_trailing, trailing_value);
}

testing::EchoStatus unknown(const std::string &message) {
  testing::EchoStatus status;
  status.set_code(grpc::StatusCode::UNKNOWN);
  status.set_message(message);
  return status;
}

void expect_echo_of_unary(const Stubs &stubs, const std::string &message) {
  grpc::ClientContext context;
  testing::SimpleRequest request;
  *request.mutable_response_status() = unknown(message);
  testing::SimpleResponse response;
  const auto status = stubs.service->UnaryCall(&context, request, &response);
  expect_status("UnaryCall", status, grpc::StatusCode::UNKNOWN, &message);
}

}  // namespace

void custom_metadata(const Stubs &stubs) {
  {
    grpc::ClientContext context;
    add_metadata(&context);
    testing::SimpleResponse response;
    expect_ok("UnaryCall", stubs.service->UnaryCall(&context, large_request(), &response));
    expect_zeros("response of UnaryCall", response, 314159);
    expect_metadata("UnaryCall", context);
  }
  grpc::ClientContext context;
  add_metadata(&context);
  const auto stream = stubs.service->FullDuplexCall(&context);
  testing::StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(314159);
  request.mutable_payload()->set_body(zeros(271828));
  expect("request is taken", stream->Write(request));
  stream->WritesDone();
  testing::StreamingOutputCallResponse response;
  expect("a response", stream->Read(&response));
  expect_zeros("response of FullDuplexCall", response, 314159);
  expect("no second response", !stream->Read(&response));
  expect_ok("FullDuplexCall", stream->Finish());
  expect_metadata("FullDuplexCall", context);
}

void status_code_and_message(const Stubs &stubs) {
  const std::string message = "test status message";
  expect_echo_of_unary(stubs, message);
  grpc::ClientContext context;
  const auto stream = stubs.service->FullDuplexCall(&context);
  testing::StreamingOutputCallRequest request;
  *request.mutable_response_status() = unknown(message);
  expect("request is taken", stream->Write(request));
  stream->WritesDone();
  testing::StreamingOutputCallResponse response;
  expect("no response", !stream->Read(&response));
  expect_status("FullDuplexCall", stream->Finish(), grpc::StatusCode::UNKNOWN, &message);
}

void special_status_message(const Stubs &stubs) {
  expect_echo_of_unary(stubs, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n");
}

void unimplemented_method(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::Empty response;
  const auto status = stubs.service->UnimplementedCall(&context, testing::Empty(), &response);
  expect_status("UnimplementedCall", status, grpc::StatusCode::UNIMPLEMENTED);
}

void unimplemented_service(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::Empty response;
  const auto status = stubs.unimplemented->UnimplementedCall(&context, testing::Empty(), &response);
  expect_status("UnimplementedCall", status, grpc::StatusCode::UNIMPLEMENTED);
}

void cancel_after_begin(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::StreamingInputCallResponse response;
  const auto stream = stubs.service->StreamingInputCall(&context, &response);
  context.TryCancel();
  expect_status("StreamingInputCall", stream->Finish(), grpc::StatusCode::CANCELLED);
}

void cancel_after_first_response(const Stubs &stubs) {
  grpc::ClientContext context;
  const auto stream = stubs.service->FullDuplexCall(&context);
  testing::StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(31415);
  request.mutable_payload()->set_body(zeros(27182));
  testing::StreamingOutputCallResponse response;
  expect("first response", stream->Write(request) && stream->Read(&response));
  expect_zeros("first response", response, 31415);
  context.TryCancel();
  expect("no further response", !stream->Read(&response));
  expect_status("FullDuplexCall", stream->Finish(), grpc::StatusCode::CANCELLED);
}

void timeout_on_sleeping_server(const Stubs &stubs) {
  empty_unary(stubs);  // A connection is there from now on, so that the server has the call when its time is over.
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  const auto stream = stubs.service->FullDuplexCall(&context);
  testing::StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(zeros(27182));
  stream->Write(request);  // May be refused already: the status counts.
  testing::StreamingOutputCallResponse response;
  expect("no response", !stream->Read(&response));
  expect_status("FullDuplexCall", stream->Finish(), grpc::StatusCode::DEADLINE_EXCEEDED);
}
