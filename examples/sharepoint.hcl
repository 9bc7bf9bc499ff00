# A site of a SharePoint Server farm that trusts Azure ACS: an app that asks for
# consent while it runs. Not for SharePoint Online, where ACS ended on 2026-04-02.
#
# Registered with https://sharepoint.fabrikam.example/print/_layouts/15/AppRegNew.aspx.

variable "print_secret" {
  type        = string
  sensitive   = true
  description = "Add-in secret, as AppRegNew.aspx showed it."
}

connection "print" {
  provider      = "sharepoint"
  site_url      = "https://sharepoint.fabrikam.example/print"
  client_id     = "c78d058c-7f82-44ca-a077-fba855e14d38"
  client_secret = var.print_secret

  # Aliases as the vendor documents them. A list works as well, and so do URIs:
  # "http://sharepoint/content/sitecollection/web Read".
  scopes = "Web.Read List.Write"

  # Exactly as registered. The answer is pasted, unless listen says where a
  # TLS-terminating proxy carries it.
  redirect_uris = ["https://contoso.example/RedirectAccept.aspx"]
}

# Another site of the same farm: the realm is asked for once, tokens are its own.
connection "archive" {
  provider      = "sharepoint"
  site_url      = "https://sharepoint.fabrikam.example/archive"
  is_dlg        = true
  client_id     = "c78d058c-7f82-44ca-a077-fba855e14d38"
  client_secret = var.print_secret
  scopes        = ["Site.Manage"]
  redirect_uris = ["https://contoso.example/RedirectAccept.aspx"]
}

output "print_expires_at" {
  value = connection.print.expires_at
}
