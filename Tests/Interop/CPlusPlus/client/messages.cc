// Cases about messages: their sizes, their number and their order.
#include <future>
#include <list>

#include "cases.h"
#include "expectations.h"

void empty_unary(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::Empty response;
  expect_ok("EmptyCall", stubs.service->EmptyCall(&context, testing::Empty(), &response));
  expect<size_t>("bytes of the response", response.ByteSizeLong(), 0);
}

void large_unary(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::SimpleResponse response;
  expect_ok("UnaryCall", stubs.service->UnaryCall(&context, large_request(), &response));
  expect_zeros("response", response, 314159);
}

namespace {

struct Call {
  grpc::ClientContext context;
  testing::SimpleResponse response;
  std::promise<grpc::Status> ended;
};

}  // namespace

// The description says 1000 calls. 100 fill every window as well, in a tenth of the time.
void concurrent_large_unary(const Stubs &stubs) {
  const auto request = large_request();
  std::list<Call> calls(100);
  for (auto &call : calls) {
    stubs.service->async()->UnaryCall(&call.context, &request, &call.response, [&call](grpc::Status status) {
      call.ended.set_value(std::move(status));
    });
  }
  std::list<grpc::Status> statuses;  // All calls have to end before their memory goes, whatever the first one says.
  for (auto &call : calls) statuses.push_back(call.ended.get_future().get());
  for (auto &call : calls) {
    expect_ok("UnaryCall", statuses.front());
    statuses.pop_front();
    expect_zeros("response", call.response, 314159);
  }
}

void client_streaming(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::StreamingInputCallResponse response;
  const auto stream = stubs.service->StreamingInputCall(&context, &response);
  for (const size_t size : {27182, 8, 1828, 45904}) {
    testing::StreamingInputCallRequest request;
    request.mutable_payload()->set_body(zeros(size));
    expect("request of " + std::to_string(size) + " bytes is taken", stream->Write(request));
  }
  stream->WritesDone();
  expect_ok("StreamingInputCall", stream->Finish());
  expect("aggregated_payload_size", response.aggregated_payload_size(), 74922);
}

void server_streaming(const Stubs &stubs) {
  grpc::ClientContext context;
  testing::StreamingOutputCallRequest request;
  for (const int32_t size : {31415, 9, 2653, 58979}) request.add_response_parameters()->set_size(size);
  const auto stream = stubs.service->StreamingOutputCall(&context, request);
  testing::StreamingOutputCallResponse response;
  int count = 0;
  for (; stream->Read(&response); ++count) {
    expect("at most four responses", count < request.response_parameters_size());
    expect_zeros("response", response, request.response_parameters(count).size());
  }
  expect_ok("StreamingOutputCall", stream->Finish());
  expect("responses", count, request.response_parameters_size());
}

void ping_pong(const Stubs &stubs) {
  grpc::ClientContext context;
  const auto stream = stubs.service->FullDuplexCall(&context);
  const std::pair<size_t, int32_t> sizes[] = {{27182, 31415}, {8, 9}, {1828, 2653}, {45904, 58979}};
  testing::StreamingOutputCallResponse response;
  for (const auto &[request_size, response_size] : sizes) {
    testing::StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(response_size);
    request.mutable_payload()->set_body(zeros(request_size));
    const std::string what = "response to " + std::to_string(request_size) + " bytes";
    expect(what, stream->Write(request) && stream->Read(&response));
    expect_zeros(what, response, response_size);
  }
  stream->WritesDone();
  expect("no fifth response", !stream->Read(&response));
  expect_ok("FullDuplexCall", stream->Finish());
}

void empty_stream(const Stubs &stubs) {
  grpc::ClientContext context;
  const auto stream = stubs.service->FullDuplexCall(&context);
  stream->WritesDone();
  testing::StreamingOutputCallResponse response;
  expect("no response", !stream->Read(&response));
  expect_ok("FullDuplexCall", stream->Finish());
}
