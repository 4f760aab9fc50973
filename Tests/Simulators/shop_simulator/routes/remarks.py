"""What invoices, shipments and credit memos have alike: comments and e-mails."""

from ..routing import route


def declare(path, resource, find, kind):
    """Declares GET and POST `path`/:id/comments and POST `path`/:id/emails. `find(shop, id)`: the document."""

    @route("GET", f"{path}/:id/comments", resource)
    def comments(shop, call):
        found = find(shop, call.number("id")).comments
        return {"items": found, "search_criteria": {"filter_groups": []}, "total_count": len(found)}

    @route("POST", f"{path}/:id/comments", resource)
    def comment(shop, call):
        return add(find(shop, call.number("id")), call.need("entity"))

    @route("POST", f"{path}/:id/emails", resource)
    def mail(shop, call):
        found = find(shop, call.number("id"))
        shop.mails.send(kind, found.order, found)
        return True


def add(document, asked):
    added = document.comment(asked.get("comment") or "", int(bool(asked.get("is_customer_notified"))),
                             int(bool(asked.get("is_visible_on_front"))))
    document.touch()
    return added
