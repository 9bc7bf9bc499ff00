# DocuSign eSignature and its other APIs.
# Sources: https://developers.docusign.com/platform/auth/authcode/ and /jwt/, and
# https://www.docusign.com/blog/developers/the-trenches-who-are-you (userinfo).
# Unverified: PKCE; rotation.

provider "docusign" {
  title = "DocuSign"
  docs  = "https://developers.docusign.com/platform/auth/authcode/"

  argument "host" {
    default = "account.docusign.com"
    pattern = "account(-d)?\\.docusign\\.com"
    doc     = "account.docusign.com, or account-d.docusign.com for the demo environment."
    example = "account-d.docusign.com"
  }

  authorization_endpoint = "https://${arg.host}/oauth/auth"
  token_endpoint         = "https://${arg.host}/oauth/token"
  userinfo_endpoint      = "https://${arg.host}/oauth/userinfo"

  grants      = ["authorization_code", "jwt_bearer", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]

  # The subject is the id of the user, who has consented to the scope
  # impersonation once.
  jwt_bearer {
    audience    = arg.host
    algorithms  = ["RS256"]
    scope_claim = true
  }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "8h"
    refresh = "30d" # the scope extended keeps it alive with use
  }

  rotation {
    kind = "replaced"
  }

  revocation_note = "Revoke the app under My Profile, Connected apps."
}
