# A person consents in a browser (RFC 6749 §4.1 with PKCE, RFC 7636).

# Where the redirect URI leads decides how the answer comes back. This one leads
# to this machine: oauthctl listens before it opens the browser. Without a port
# the operating system chooses a free one.
connection "calendar" {
  provider      = "google"
  description   = "Reads the team's calendar for the weekly report"
  client_id     = "1234567890-abc.apps.googleusercontent.com"
  client_secret = env("GOOGLE_CLIENT_SECRET")
  scopes        = ["openid", "email", "https://www.googleapis.com/auth/calendar.readonly"]
  redirect_uris = ["http://127.0.0.1"]

  # Nothing is saved if somebody else signs in.
  account = "sam@example.com"

  grant "authorization_code" {
    timeout = "5m"
  }
}

# A port may be fixed, for a firewall or for a server that compares it with the
# registered one. If it is taken, oauthctl says so before it opens the browser.
connection "gitlab" {
  provider      = "gitlab"
  host          = "gitlab.corp.example" # an argument of the preset
  client_id     = "0f1e2d3c4b5a"
  scopes        = ["openid", "email", "read_api"]
  redirect_uris = ["http://127.0.0.1:8085/callback"]

  token_lifetimes {
    refresh        = "90d" # when a new consent will be due
    refresh_before = "10m" # the margin in which a token counts as expired
  }
}

# Behind a proxy or tunnel: the https redirect URI leads to the proxy, which
# carries it to this address.
connection "tickets" {
  provider      = "zendesk"
  subdomain     = "acme"
  client_id     = "ticket-export"
  client_secret = env("ZENDESK_CLIENT_SECRET")
  scopes        = ["tickets:read"]
  redirect_uris = ["https://tickets.acme.example/oauth/callback"]

  grant "authorization_code" {
    listen = "127.0.0.1:8086"
  }
}

# Anywhere else: the person copies the URL that the browser ended at.
connection "chat" {
  provider      = "slack"
  client_id     = "123456.7890"
  client_secret = env("SLACK_CLIENT_SECRET")
  scopes        = ["chat:write", "channels:read"]
  redirect_uris = ["https://www.acme.example/slack/done"]
}
