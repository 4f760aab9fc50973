@main struct InventoryMain { static func main() {} }
