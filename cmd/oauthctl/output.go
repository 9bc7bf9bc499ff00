package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/oauthctl/oauthctl/engine"
	"github.com/oauthctl/oauthctl/providers"
	"github.com/oauthctl/oauthctl/schema"
	"github.com/oauthctl/oauthctl/state"
)

func (c *cli) outputCommand() *cobra.Command {
	var json, raw bool
	cmd := &cobra.Command{
		Use:   "output [NAME]",
		Short: "Show the outputs that apply recorded",
		Long: "Show the values of the output blocks as the last apply recorded them; with NAME, that value alone. " +
			"What an output says of connections is as the state has them now, after every refresh. The configuration is not read. " +
			"Sensitive values are hidden; -raw NAME prints one.",
		Example: "oauthctl output -raw graph_expires_at",
		Args:    maxArgs(1, "at most one output"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(json, false)
			return c.output(cmd.Context(), args, raw, json)
		},
		ValidArgsFunction: c.completeOutputs,
	}
	jsonFlag(cmd, &json)
	cmd.Flags().BoolVar(&raw, "raw", false, "print the value of NAME as it is, without quotes or a newline")
	return cmd
}

func (c *cli) output(ctx context.Context, args []string, raw, json bool) error {
	if raw && (json || len(args) != 1) {
		return errors.New("-raw prints one value: use it with the name of an output and without -json")
	}
	outs, err := c.outputs(ctx, args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		c.view.Outputs(outs)
		if len(outs) == 0 {
			c.view.Note("No outputs are recorded. apply records what the output blocks of the configuration say.")
		}
		return nil
	}
	var names []string
	for _, out := range outs {
		if out.Name == args[0] {
			switch {
			case raw:
				return printRaw(&c.out, out)
			case json:
				c.view.Outputs([]schema.Output{out})
			case out.Sensitive:
				c.view.Value(out.Value.Mark(schema.Sensitive), "")
			default:
				c.view.Value(out.Value, "")
			}
			return nil
		}
		names = append(names, out.Name)
	}
	if near := schema.Suggest(args[0], names); near != "" {
		return fmt.Errorf("there is no output %q%s", args[0], didYouMean(near))
	}
	return advised("declare it in an output block, and run: oauthctl apply", "no output %q is recorded", args[0])
}

// outputs evaluates what apply recorded of the outputs with what the state has; if
// one of those recorded is named, only that.
func (c *cli) outputs(ctx context.Context, names []string) ([]schema.Output, error) {
	store, err := c.openState(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	outs, src, diags, err := c.outputsOf(ctx, store, names)
	if err != nil {
		return nil, err
	}
	return outs, c.show(diags, src)
}

// outputsOf is outputs of a state that is open.
func (c *cli) outputsOf(ctx context.Context, store *state.Store, names []string) ([]schema.Output, *schema.Sources, hcl.Diagnostics, error) {
	e := engine.New(engine.Options{Store: store, Now: c.Now, Rand: c.Rand})
	recorded, err := e.Recorded(ctx)
	if recorded.Empty() || err != nil {
		return nil, nil, nil, err
	}
	cfg, diags := schema.LoadRecorded(ctx, schema.Source{Dir: c.configDir(), LookupEnv: c.LookupEnv, Version: languageVersion(), MakeUp: c.sandbox}, recorded)
	if len(names) > 0 { // what is wrong with others is not asked for, and their tokens stay closed
		if only, err := cfg.Record(names...); err == nil && !only.Empty() {
			cfg, diags = cfg.Former(ctx, only)
		}
	}
	known, problem := e.Known(ctx)
	outs, more := cfg.Outputs(known)
	if !diags.HasErrors() { // which it would say again
		diags = append(diags, more...)
	}
	return outs, cfg.Sources, diags, problem()
}

// reader is an engine that only reads the state of a configuration.
func (c *cli) reader(ctx context.Context, cfg *schema.Config) (e *engine.Engine, done func(), err error) {
	store, err := c.openStateFor(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	e = engine.New(engine.Options{Store: store, Catalog: providers.New(), Now: c.Now, Rand: c.Rand})
	return e, func() { _ = store.Close() }, nil
}

// printRaw prints a value that a script asked for.
func printRaw(w io.Writer, out schema.Output) error {
	if !out.Value.IsWhollyKnown() {
		return advised("run: oauthctl apply", "the output %s is not known yet", out.Name)
	}
	v, err := convert.Convert(out.Value, cty.String)
	if err != nil || v.IsNull() {
		return advised("use -json", "the output %s is not a string, number or bool", out.Name)
	}
	_, err = io.WriteString(w, v.AsString())
	return err
}
