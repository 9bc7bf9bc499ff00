# The README's two commands: make demo, make test.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo none)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
DEMO    ?= quickstart
ONLINUX  = $(if $(filter Linux,$(shell uname)),$(comma)secret-service$(comma)systemd-analyze)
comma   := ,
FUZZTIME ?= 60s

.PHONY: build demo test race fuzz lint proof bench clean

build: ## the program, ./oauthctl
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o oauthctl ./cmd/oauthctl

demo: build ## the main job on the sandbox: plan, apply, token
	@.ci/demo $(DEMO)

test: ## everything; sets up what it needs first
	.ci/setup
	go vet ./...
	OAUTHCTL_REQUIRE=chromium,curl,git,kubectl,oidc-provider$(ONLINUX) go test ./...

race: ## the concurrent rooms under the race detector
	go test -race ./engine/... ./state/... ./providers/... ./cmd/oauthctl/internal/console/... ./cmd/oauthctl/internal/agent/...

fuzz: ## every fuzz target, FUZZTIME each
	FUZZTIME=$(FUZZTIME) .ci/fuzz

lint: ## go.mod is tidy; golangci-lint, pinned, built on first use
	.ci/lint

proof: build ## the promised figures, counted
	go run ./cmd/oauthctl/internal/proof -oauthctl ./oauthctl

bench: build ## speed, as ratios within one run
	go run ./cmd/oauthctl/internal/bench -oauthctl ./oauthctl

clean:
	rm -rf oauthctl dist .cache
