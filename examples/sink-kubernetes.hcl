# A token as a Secret of Kubernetes, and for the jobs of GitLab that deploy there.
# A CronJob or a scheduled pipeline runs "oauthctl apply -input=false
# -auto-approve": it renews what is due, and publishes it again.

provider "keycloak" {
  preset   = "keycloak"
  base_url = "https://sso.acme.example"
  realm    = "acme"
}

connection "orders" {
  provider      = "keycloak"
  client_id     = "orders-worker"
  client_secret = env("ORDERS_CLIENT_SECRET")

  grant "client_credentials" {}
}

# kubectl get secret orders-token --namespace shop -o jsonpath='{.data.token}' | base64 -d
sink "kubernetes" "shop" {
  namespace  = "shop"
  name       = "orders-token"
  kubeconfig = "/etc/oauthctl/kubeconfig" # in a pod: in_cluster = true
  context    = "prod"
  labels     = { "app.kubernetes.io/managed-by" = "oauthctl" }
  secrets = {
    token      = connection.orders.access_token
    expires_at = connection.orders.expires_at
  }
}

sink "gitlab" "deploy" {
  project           = "shop/orders"
  environment_scope = "production"
  protected         = true
  token             = env("GITLAB_ADMIN_TOKEN")
  secrets           = { ORDERS_TOKEN = connection.orders.access_token }
}
