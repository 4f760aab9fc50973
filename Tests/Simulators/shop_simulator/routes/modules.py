"""/V1/modules: what is installed and enabled."""

from ..routing import route

ALWAYS = ("Magento_Store", "Magento_Directory", "Magento_Catalog", "Magento_CatalogInventory", "Magento_Sales",
          "Magento_Bundle",
          "Magento_ConfigurableProduct", "Magento_GroupedProduct", "Magento_Downloadable", "Magento_Tax",
          "Magento_Weee")
BY_SETTING = {
    "msi": ("Magento_Inventory", "Magento_InventoryApi", "Magento_InventorySales", "Magento_InventorySalesApi",
            "Magento_InventoryReservations", "Magento_InventoryShipping", "Magento_InventoryBundleProduct"),
    "rma": ("Magento_Rma",),
    "balance": ("Magento_GiftCard", "Magento_GiftCardAccount", "Magento_CustomerBalance", "Magento_Reward",
                "Magento_GiftWrapping"),
}


@route("GET", "/V1/modules", "Magento_Backend::modules")
def modules(shop, _):
    return [*ALWAYS, *(name for setting, more in BY_SETTING.items() if getattr(shop.settings, setting)
                       for name in more)]
