package e2e

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Every request to a server goes through the proxy of the environment; what the
// proxy's URL holds is not shown.
func TestProxyOfTheEnvironment(t *testing.T) {
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = proxy.Close() }()
	asked := make(chan string, 10)
	go func() {
		for {
			conn, err := proxy.Accept()
			if err != nil {
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				asked <- req.Method + " " + req.Host
			}
			_, _ = conn.Write([]byte("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	u := newUser(t, `
connection "worker" {
  provider      = "acme"
  client_id     = "worker"
  client_secret = env("WORKER_SECRET")
  grant "client_credentials" {}
}
provider "acme" {
  token_endpoint = "https://login.acme.example/token"
}
`)
	u.env = append(u.env, "WORKER_SECRET=x", "CI=true", "HTTPS_PROXY=http://someone:canary-password@"+proxy.Addr().String())
	r := u.run("apply", "-auto-approve")
	r.want(t, 4)
	select {
	case got := <-asked:
		if got != "CONNECT login.acme.example:443" {
			t.Errorf("the proxy was asked for %s", got)
		}
	default:
		t.Error("the proxy was not asked")
	}
	contains(t, r.stderr, "Bad Gateway")
	for _, text := range []string{r.stdout, r.stderr} {
		if strings.Contains(text, "canary-password") {
			t.Errorf("the password of the proxy is shown:\n%s", text)
		}
	}
}
