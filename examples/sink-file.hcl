# Tokens where programs look for them: a file that a shell can source, and one
# for a program that reads JSON. oauthctl apply writes them, and writes them
# again when a token was renewed.

provider "okta" {
  preset = "okta"
  domain = "acme.okta.com"
}

connection "inventory" {
  provider      = "okta"
  client_id     = "0oa1b2c3d4e5f6g7h8i9"
  client_secret = env("OKTA_CLIENT_SECRET")
  scopes        = ["inventory.read"]

  grant "client_credentials" {}
}

# . ./inventory.env; curl -H "$INVENTORY_HEADER" https://inventory.acme.example/
sink "file" "shell" {
  path = "inventory.env"
  secrets = {
    INVENTORY_TOKEN  = connection.inventory.access_token
    INVENTORY_HEADER = "Authorization: Bearer ${connection.inventory.access_token}"
  }
}

sink "file" "program" {
  path   = "inventory.json"
  format = "json"
  secrets = {
    access_token = connection.inventory.access_token
    expires_at   = connection.inventory.expires_at
  }
}
