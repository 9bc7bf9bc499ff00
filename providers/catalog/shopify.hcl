# Shopify stores. Without expiring=1 tokens never expire, which public apps may no longer use.
# Sources: https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant;
# https://shopify.dev/changelog/expiring-offline-access-tokens-required-for-all-public-apps-as-of-january-1-2027.
# Unverified: that PKCE is not supported.

provider "shopify" {
  title = "Shopify"
  docs  = "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant"

  argument "shop" {
    required = true
    pattern  = "[a-z0-9][a-z0-9-]*"
    doc      = "Name of the store, the first part of its myshopify.com host."
    example  = "acme"
  }

  authorization_endpoint = "https://${arg.shop}.myshopify.com/admin/oauth/authorize"
  token_endpoint         = "https://${arg.shop}.myshopify.com/admin/oauth/access_token"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]
  pkce        = "broken"

  scope_separator = ","
  token_params    = { expiring = "1" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "1h"
    refresh = "90d"
  }

  rotation {
    kind = "single_use"
  }

  revocation_note = "Uninstall the app in the store's settings."

  quirks = ["scope_list"]
}
