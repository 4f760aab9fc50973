@main struct SalesMain { static func main() {} }
