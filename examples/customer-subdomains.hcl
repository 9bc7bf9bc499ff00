# A web product with a Microsoft integration: every customer has a subdomain, a
# redirect URI there, and a consent of their own. docs/providers/customer-subdomains.md
# walks through it.

variable "customers" {
  description = "Subdomains: the part of audits-NAME.example.com that tells customers apart"
  type        = set(string)
  default     = ["northwind", "tailspin", "wingtip"]
}

variable "client_id" {
  type    = string
  default = "11111111-2222-3333-4444-555555555555"
}

variable "client_secret" {
  description = "The value of the client secret, not its id"
  type        = string
  sensitive   = true
}

connection "audit" {
  for_each      = var.customers
  provider      = "microsoft"
  description   = "Audit of ${each.key}"
  tenant        = "organizations" # customers sign in with their own work accounts
  client_id     = var.client_id
  client_secret = var.client_secret
  scopes        = ["User.Read", "Files.ReadWrite.All", "offline_access"]
  redirect_uris = ["https://audits-${each.key}.example.com/auth/oauth2/microsoft/callback"]

  # The proxy that ends TLS for *.example.com carries the path
  # /auth/oauth2/microsoft/callback to this address and keeps the header Host.
  # Without listen, the address that the browser ends at is pasted.
  grant "authorization_code" {
    listen = "127.0.0.1:8405"
    prompt = "select_account"
  }

  token_lifetimes {
    refresh_before = "5m" # a token that ends within five minutes counts as expired
  }
}

output "consents_due" {
  description = "When each customer has to connect again, if nobody uses the connection until then"
  value       = { for name, c in connection.audit : name => c.refresh_expires_at }
}
