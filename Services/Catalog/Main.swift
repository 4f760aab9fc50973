@main struct CatalogMain { static func main() {} }
