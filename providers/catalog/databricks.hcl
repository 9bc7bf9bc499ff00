# Databricks workspaces. For the account level see databricks-account.
# Source: https://docs.databricks.com/aws/en/dev-tools/auth/oauth-u2m.
# Unverified: the issuer; the access token's life.

provider "databricks" {
  title = "Databricks workspace"
  docs  = "https://docs.databricks.com/aws/en/dev-tools/auth/oauth-u2m"

  argument "host" {
    required = true
    pattern  = "[A-Za-z0-9.-]+"
    doc      = "Host of the workspace."
    example  = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
  }

  issuer                 = "https://${arg.host}/oidc"
  discovery              = "auto"
  authorization_endpoint = "https://${arg.host}/oidc/v1/authorize"
  token_endpoint         = "https://${arg.host}/oidc/v1/token"

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]
  pkce        = "required"

  offline_scope = "offline_access"

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "1h"
  }

  rotation {
    kind = "single_use"
  }
}
