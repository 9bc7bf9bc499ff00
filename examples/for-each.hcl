# One block, many connections: each customer has a tenant and a consent of its
# own. Their addresses are connection.customer["northwind"] and so on.

variable "customers" {
  description = "Tenant and mailbox of every customer"
  type = map(object({
    tenant  = string
    account = string
  }))
  default = {
    northwind = { tenant = "northwind.example", account = "backup@northwind.example" }
    tailspin  = { tenant = "tailspin.example", account = "backup@tailspin.example" }
    wingtip   = { tenant = "wingtip.example", account = "backup@wingtip.example" }
  }

  validation {
    condition     = length(var.customers) > 0
    error_message = "There must be a customer."
  }
}

locals {
  scopes = ["openid", "email", "Mail.Read", "Files.Read.All"]
}

connection "customer" {
  for_each = var.customers

  provider      = "microsoft"
  description   = "Backup of ${each.key}"
  tenant        = each.value.tenant
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = local.scopes
  redirect_uris = ["http://localhost"]
  account       = each.value.account

  # Customers confirm their account even if they are signed in already.
  grant "authorization_code" {
    prompt = "select_account"
  }
}

output "consents_due" {
  description = "When each customer has to consent again"
  value       = { for name, c in connection.customer : name => c.refresh_expires_at }
}
