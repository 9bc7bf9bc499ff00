# The OneDrive of a personal Microsoft account: docs/providers/onedrive.md.

# Registered with personal Microsoft accounts as a supported account type, and
# with http://localhost under "Mobile and desktop applications". The operating
# system chooses a free port every time; offline_access is added and shown.
connection "onedrive" {
  provider      = "onedrive"
  client_id     = "11111111-2222-3333-4444-555555555555"
  scopes        = ["Files.ReadWrite.All"]
  redirect_uris = ["http://localhost"]

  # Every answer brings a new refresh token, good for 90 days: as long as a token
  # is asked for now and then, nobody has to consent again.
  token_lifetimes {
    refresh = "90d"
  }
}
