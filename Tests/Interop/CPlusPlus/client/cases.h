// The cases of gRPC's doc/interop-test-descriptions.md, by their names.
#pragma once

#include <functional>
#include <map>

#include "testing.h"

struct Stubs {
  std::shared_ptr<testing::TestService::Stub> service;
  std::shared_ptr<testing::UnimplementedService::Stub> unimplemented;
};

using Case = std::function<void(const Stubs &)>;

const std::map<std::string, Case> &cases();

void empty_unary(const Stubs &);
void large_unary(const Stubs &);
void concurrent_large_unary(const Stubs &);
void client_streaming(const Stubs &);
void server_streaming(const Stubs &);
void ping_pong(const Stubs &);
void empty_stream(const Stubs &);

void client_compressed_unary(const Stubs &);
void server_compressed_unary(const Stubs &);
void client_compressed_streaming(const Stubs &);
void server_compressed_streaming(const Stubs &);

void custom_metadata(const Stubs &);
void status_code_and_message(const Stubs &);
void special_status_message(const Stubs &);
void unimplemented_method(const Stubs &);
void unimplemented_service(const Stubs &);

void cancel_after_begin(const Stubs &);
void cancel_after_first_response(const Stubs &);
void timeout_on_sleeping_server(const Stubs &);
