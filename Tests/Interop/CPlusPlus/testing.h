// What server and client share.
#pragma once

#include <cstdint>
#include <fstream>
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <sstream>
#include <stdexcept>
#include <string>

#include "grpc/testing/test.grpc.pb.h"

namespace testing = grpc::testing;

// In no header, but exported by libgrpc for tests such as these.
uint32_t grpc_call_test_only_get_message_flags(grpc_call *call);

// Whether the last message that the call received came compressed. The flag is GRPC_WRITE_INTERNAL_TEST_ONLY_WAS_COMPRESSED.
inline bool was_compressed(grpc_call *call) {
  return (grpc_call_test_only_get_message_flags(call) & 0x40000000u) != 0;
}

inline const std::string echo_initial = "x-grpc-test-echo-initial";
inline const std::string echo_trailing = "x-grpc-test-echo-trailing-bin";

inline std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) throw std::runtime_error(path + ": can't be read");
  return content.str();
}
