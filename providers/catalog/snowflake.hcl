# Snowflake OAuth, with a security integration of the account.
# Source: https://docs.snowflake.com/en/user-guide/oauth-custom.
# Unverified: the scope refresh_token; the 10 minutes of the access token.

provider "snowflake" {
  title = "Snowflake"
  docs  = "https://docs.snowflake.com/en/user-guide/oauth-custom"

  argument "account_identifier" {
    required = true
    pattern  = "[A-Za-z0-9][A-Za-z0-9._-]*"
    doc      = "Identifier of the account, the first part of its snowflakecomputing.com host."
    example  = "acme-eu1"
  }

  authorization_endpoint = "https://${arg.account_identifier}.snowflakecomputing.com/oauth/authorize"
  token_endpoint         = "https://${arg.account_identifier}.snowflakecomputing.com/oauth/token-request"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]

  offline_scope = "refresh_token" # if the integration issues them

  redirect {
    fixed_port = true
  }

  token_lifetimes {
    access = "10m"
  }

  # Single use is a setting of the integration.
  rotation {
    kind = "unknown"
  }

  revocation_note = "Revoke in Snowflake: ALTER USER … REMOVE DELEGATED AUTHORIZATIONS FROM SECURITY INTEGRATION …"
}
