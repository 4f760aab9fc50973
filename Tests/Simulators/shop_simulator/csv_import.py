"""Products from Magento's product CSV, and from the forms that its sample data has for bundles, grouped and
downloadable ones."""

import csv

from .values import decimal

VISIBILITIES = {"Not Visible Individually": 1, "Catalog": 2, "Search": 3, "Catalog, Search": 4}
PLAIN = ("description", "short_description", "url_key", "special_price", "meta_title", "meta_description")


def load(shop, path):
    """Puts all products of the file into the catalog. Returns how many. ValueError tells the line."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if "sku" not in (rows.fieldnames or ()):
            raise ValueError(f"{path}: its first line has no column sku")
        count = 0
        for row in rows:
            try:
                _put(shop, row)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}, line {rows.line_num}: {error}") from error
            count += 1
    return count


def _put(shop, row):
    kind = row.get("product_type") or _guessed(row)
    product = {
        "sku": row["sku"], "type": kind, "name": row.get("name") or row["sku"], "price": decimal(row.get("price")),
        "status": 2 if row.get("product_online") == "0" else 1,
        "visibility": VISIBILITIES.get(row.get("visibility"), 4),
        "attributes": _attributes(shop, row)}
    if row.get("weight"):
        product["weight"] = decimal(row["weight"])
    if row.get("product_websites"):
        product["websites"] = [shop.stores.website(code)["id"] for code in row["product_websites"].split(",")]
    if row.get("configurable_variations"):
        variations = [_pairs(entry) for entry in row["configurable_variations"].split("|")]
        product["variants"] = [variation.pop("sku") for variation in variations]
        product["super_attributes"] = list(variations[0])
    if row.get("bundle_options"):
        product["options"] = [_bundle_option(line) for line in row["bundle_options"].splitlines()]
    if row.get("associated_sku"):
        product["associated"] = row["associated_sku"].split(",")
    if kind not in ("configurable", "bundle", "grouped"):
        stock = {"qty": decimal(row.get("qty"))}
        if row.get("use_config_manage_stock") == "0":  # else the configuration says: managed
            stock["manage_stock"] = row.get("manage_stock") != "0"
        product["stock"] = stock if kind != "downloadable" else {"manage_stock": False, "is_in_stock": True}
    shop.catalog.put(product)


def _guessed(row):
    for column, kind in (("configurable_variations", "configurable"), ("bundle_options", "bundle"),
                         ("associated_sku", "grouped"),
                         ("links_title", "downloadable")):
        if row.get(column):
            return kind
    return "simple"


def _attributes(shop, row):
    """Custom attributes; those with a fixed set of values are said by the ids of their options."""
    values = {name: row[name] for name in PLAIN if row.get(name)}
    if row.get("base_image"):
        values["image"] = row["base_image"]
    for name, value in _pairs(row.get("additional_attributes") or "").items():
        labels = value.split("|")
        ids = shop.catalog.attributes.put(name, options=labels, input_type="multiselect" if len(labels) > 1
                                          else "select")
        values[name] = ",".join(ids[label] for label in labels)
    return values


def _pairs(text):
    """a=1,b=2; a comma without a name behind it belongs to the value."""
    pairs = {}
    last = None
    for piece in filter(None, text.split(",")):
        name, is_pair, value = piece.partition("=")
        if is_pair:
            last, pairs[name] = name, value
        elif last is not None:
            pairs[last] += "," + piece
    return pairs


def _bundle_option(line):
    """Title|type:SKU,SKU"""
    title, _, rest = line.partition("|")
    kind, _, skus = rest.partition(":")
    return {"title": title, "type": kind, "selections": [{"sku": sku} for sku in skus.split(",")]}
