@main struct PostSalesMain { static func main() {} }
