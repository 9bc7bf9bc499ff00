# Databricks accounts (AWS).
# Source: https://docs.databricks.com/aws/en/dev-tools/auth/oauth-u2m.
# Unverified: the access token's life.

provider "databricks-account" {
  title = "Databricks account"
  docs  = "https://docs.databricks.com/aws/en/dev-tools/auth/oauth-u2m"

  argument "account_id" {
    required = true
    pattern  = "[0-9a-fA-F-]{36}"
    doc      = "Id of the account."
    example  = "1f2e3d4c-5b6a-7980-9a8b-7c6d5e4f3a2b"
  }

  authorization_endpoint = "https://accounts.cloud.databricks.com/oidc/accounts/${arg.account_id}/v1/authorize"
  token_endpoint         = "https://accounts.cloud.databricks.com/oidc/accounts/${arg.account_id}/v1/token"

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
