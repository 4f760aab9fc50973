@main struct EchoMain { static func main() {} }
