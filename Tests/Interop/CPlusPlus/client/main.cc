// The cases of gRPC's interoperability tests on gRPC C++: client TARGET CASE [CA]
#include <iostream>

#include "cases.h"

int main(int count, char **arguments) {
  if ((count != 3 && count != 4) || cases().count(arguments[2]) == 0) {
    std::cout << "usage: client TARGET CASE [CA]\nCASE is one of";
    for (const auto &[name, body] : cases()) std::cout << ' ' << name;
    std::cout << '\n';
    return 2;
  }
  try {
    auto credentials = grpc::InsecureChannelCredentials();
    if (count == 4) {
      grpc::SslCredentialsOptions options;
      options.pem_root_certs = read_file(arguments[3]);
      credentials = grpc::SslCredentials(options);
    }
    grpc::ChannelArguments options;
    options.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    const auto channel = grpc::CreateCustomChannel(arguments[1], credentials, options);
    cases().at(arguments[2])({testing::TestService::NewStub(channel), testing::UnimplementedService::NewStub(channel)});
  } catch (const std::exception &failure) {
    std::cout << arguments[2] << ": " << failure.what() << '\n';
    return 1;
  }
  std::cout << arguments[2] << ": ok\n";
}
