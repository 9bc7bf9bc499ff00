# Microsoft 365 through Microsoft Entra ID: docs/providers/microsoft.md says how
# to register the application, click by click.

variable "tenant" {
  description = "Directory id or a verified domain; organizations for any work account"
  type        = string
  default     = "contoso.onmicrosoft.com"
}

variable "client_id" {
  description = "Application (client) id of the registration"
  type        = string
  default     = "11111111-2222-3333-4444-555555555555"
}

provider "contoso" {
  preset = "microsoft"
  tenant = var.tenant
  # cloud = "us-gov" # a tenant of a national cloud: us-gov, us-dod, china
}

# A person at this machine: platform "Mobile and desktop applications", redirect
# URI http://localhost, no secret. Entra ignores the port, so that a free one can
# be used every time. The plan shows what is added to these scopes, and why.
connection "graph" {
  provider      = "contoso"
  client_id     = var.client_id
  scopes        = ["User.Read", "Files.ReadWrite.All"]
  redirect_uris = ["http://localhost"]

  # Verified before anything is saved; openid and profile are asked for to do so.
  account = "alice@contoso.com"

  grant "authorization_code" {
    prompt      = "select_account"
    domain_hint = "contoso.com"
  }

  token_lifetimes {
    refresh_before = "5m"
  }
}

# A token is for one resource. SharePoint is another one than Graph, and so it is
# another connection; the registration may be the same.
connection "sharepoint" {
  provider      = "contoso"
  client_id     = var.client_id
  scopes        = ["https://contoso.sharepoint.com/AllSites.Read"]
  redirect_uris = ["http://localhost"]
}

# A registration for a single-page application: Entra wants the header Origin with
# every token request and no secret, and ends the refresh token after 24 hours.
connection "page" {
  provider         = "contoso"
  client_id        = "22222222-3333-4444-5555-666666666666"
  application_type = "spa"
  scopes           = ["User.Read"]
  redirect_uris    = ["http://localhost:8400/auth"]
}

# A machine without a browser: the code is typed elsewhere. It needs "Allow public
# client flows".
connection "server" {
  provider  = "contoso"
  client_id = var.client_id
  scopes    = ["Mail.Read"]

  grant "device_code" {}
}

# A web application: platform "Web", with a secret, behind the organization's
# proxy. form_post keeps the code out of the proxy's log.
connection "portal" {
  provider      = "contoso"
  client_id     = "33333333-4444-5555-6666-777777777777"
  client_secret = env("PORTAL_CLIENT_SECRET")
  scopes        = ["https://graph.microsoft.com/.default"]
  redirect_uris = ["https://portal.contoso.com/auth/microsoft/callback"]

  grant "authorization_code" {
    listen        = "127.0.0.1:8401"
    response_mode = "form_post"
  }
}

# Nobody signs in: the application's own permissions, which an administrator has
# granted. Entra takes RESOURCE/.default and a tenant.
connection "nightly" {
  provider      = "contoso"
  client_id     = "44444444-5555-6666-7777-888888888888"
  client_secret = env("NIGHTLY_CLIENT_SECRET")
  scopes        = ["https://graph.microsoft.com/.default"]

  # Better than a secret: a certificate, or a token that the platform issues.
  # SharePoint takes nothing else. docs/client-authentication.md shows both; put
  # one of them in the place of client_secret:
  #
  # client_assertion {
  #   private_key = env("NIGHTLY_KEY_PEM") # key and certificate in one PEM text
  # }
  # client_assertion {
  #   token_file = "/var/run/secrets/tokens/azure" # a federated credential
  # }

  grant "client_credentials" {}
}

output "graph_expires_at" {
  value = connection.graph.expires_at
}
