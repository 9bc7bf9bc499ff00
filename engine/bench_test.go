package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/engine/plan"
	"github.com/oauthctl/oauthctl/state/sqlite"
)

// machines is a configuration of client-credentials connections.
func machines(ids []string) string {
	return acme + `
connection "many" {
  for_each      = toset([` + strings.Join(ids, ", ") + `])
  provider      = "acme"
  client_id     = each.key
  client_secret = env("S")
  scopes        = ["read"]
  grant "client_credentials" {}
}
`
}

// BenchmarkPlan plans connections that have not changed, from a configuration
// that is already loaded.
func BenchmarkPlan(b *testing.B) {
	const n = 10_000
	k := newKit(b)
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("%q", fmt.Sprintf("c%05d", i)))
	}
	cfg := k.applied(machines(ids))
	b.ReportAllocs()
	for b.Loop() {
		if p := k.plan(cfg, plan.Options{}); !p.Empty() {
			b.Fatal("not empty")
		}
	}
}

// BenchmarkApply authorizes machines against a server on this machine, and
// compares with a client that makes the same requests, as many at once, and
// saves nothing.
func BenchmarkApply(b *testing.B) {
	const n, parallel = 1000, 10
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("%q", fmt.Sprintf("c%05d", i)))
	}
	var ours, bare time.Duration
	for b.Loop() {
		k := newKit(b)
		db, err := sqlite.Open(filepath.Join(b.TempDir(), "oauthctl.state"), sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		k.store = k.open(db)
		k.options.Store, k.options.Parallelism = k.store, parallel
		k.engine = engine.New(k.options)
		cfg := k.config(machines(ids))
		p := k.plan(cfg, plan.Options{})
		start := time.Now()
		out, err := k.engine.Apply(k.ctx, cfg, p)
		ours += time.Since(start)
		if err != nil || len(out.Results) != n || out.Results[n-1].State != engine.Done {
			b.Fatal(err, out.Results[n-1].Err)
		}
		start = time.Now()
		askAll(b, k, ids, parallel)
		bare += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(bare), "times-bare")
}

// askAll makes the requests of client credentials and keeps nothing.
func askAll(b *testing.B, k *kit, ids []string, parallel int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: parallel}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	turns := make(chan struct{}, parallel)
	for _, id := range ids {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			c := clientcredentials.Config{
				ClientID: strings.Trim(id, `"`), ClientSecret: "secret", TokenURL: k.server.URL + "/token",
				Scopes: []string{"read"}, AuthStyle: oauth2.AuthStyleInHeader,
			}
			if _, err := c.Token(context.WithValue(k.ctx, oauth2.HTTPClient, client)); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
}
