package main

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const language = "Go"

type parcel struct {
	Text   string   `json:"text"`
	Number int64    `json:"number"`
	Ratio  float64  `json:"ratio"`
	Tags   []string `json:"tags"`
}

type attributes struct {
	Keyword string   `json:"keyword"`
	Int     int64    `json:"int"`
	List    []string `json:"list"`
}

type outcome struct {
	Parcels []parcel   `json:"parcels"`
	Seen    attributes `json:"seen"`
}

type failure struct {
	Message      string   `json:"message"`
	Type         string   `json:"type"`
	NonRetryable bool     `json:"non_retryable"`
	Details      []parcel `json:"details"`
}

type crossed struct {
	Result  outcome   `json:"result"`
	Failure []failure `json:"failure"`
}

var (
	keywordKey = temporal.NewSearchAttributeKeyKeyword("CrossKeyword")
	intKey     = temporal.NewSearchAttributeKeyInt64("CrossInt")
	listKey    = temporal.NewSearchAttributeKeyKeywordList("CrossList")
)

func attributesOf(found temporal.SearchAttributes) attributes {
	keyword, _ := found.GetKeyword(keywordKey)
	number, _ := found.GetInt64(intKey)
	list, _ := found.GetKeywordList(listKey)
	return attributes{keyword, number, list}
}

func attributesFrom(who string) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(keywordKey.ValueSet(who), intKey.ValueSet(1),
		listKey.ValueSet([]string{"a", "b"}))
}

// crossing takes parcels until it is told to finish.
func crossing(ctx workflow.Context, first parcel, blob []byte) (outcome, error) {
	result := outcome{Parcels: []parcel{first}, Seen: attributesOf(workflow.GetTypedSearchAttributes(ctx))}
	if err := workflow.UpsertTypedSearchAttributes(ctx, intKey.ValueSet(result.Seen.Int+1)); err != nil {
		return result, err
	}
	if err := workflow.SetQueryHandler(ctx, "parcels", func() ([]parcel, error) { return result.Parcels, nil }); err != nil {
		return result, err
	}
	if err := workflow.SetQueryHandler(ctx, "blob", func() ([]byte, error) { return blob, nil }); err != nil {
		return result, err
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, "stamp", stamp,
		workflow.UpdateHandlerOptions{Validator: check}); err != nil {
		return result, err
	}
	finished := false
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, "put"), func(channel workflow.ReceiveChannel, _ bool) {
		var next parcel
		channel.Receive(ctx, &next)
		result.Parcels = append(result.Parcels, next)
	})
	selector.AddReceive(workflow.GetSignalChannel(ctx, "finish"), func(channel workflow.ReceiveChannel, _ bool) {
		channel.Receive(ctx, nil)
		finished = true
	})
	for !finished || selector.HasPending() {
		selector.Select(ctx)
	}
	return result, nil
}

func stamp(_ workflow.Context, given parcel) (parcel, error) {
	given.Text += " stamped by " + language
	return given, nil
}

func check(given parcel) error {
	if given.Number < 0 {
		return errors.New("no number below zero")
	}
	return nil
}

func crossingFails(_ workflow.Context, given parcel) error {
	inner := temporal.NewApplicationError("inner from "+language, "InnerError")
	return temporal.NewApplicationErrorWithOptions("outer from "+language, "OuterError",
		temporal.ApplicationErrorOptions{NonRetryable: true, Cause: inner, Details: []any{given}})
}

// crossFrom does as a workflow what `call` does as a client.
func crossFrom(ctx workflow.Context, taskQueue, id string, given parcel, blob []byte) (crossed, error) {
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: taskQueue, TypedSearchAttributes: attributesFrom("a child of " + language),
	}), "crossing", given, blob)
	if err := child.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return crossed{}, err
	}
	if err := child.SignalChildWorkflow(ctx, "put", given).Get(ctx, nil); err != nil {
		return crossed{}, err
	}
	if err := child.SignalChildWorkflow(ctx, "finish", nil).Get(ctx, nil); err != nil {
		return crossed{}, err
	}
	var result crossed
	if err := child.Get(ctx, &result.Result); err != nil {
		return result, err
	}
	failing := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: taskQueue})
	result.Failure = chainOf(workflow.ExecuteChildWorkflow(failing, "crossing_fails", given).Get(ctx, nil))
	return result, nil
}

// chainOf has the application errors of a chain, the outermost first.
func chainOf(err error) []failure {
	chain := []failure{}
	for ; err != nil; err = errors.Unwrap(err) {
		application, ok := err.(*temporal.ApplicationError)
		if !ok {
			continue
		}
		found := failure{application.Message(), application.Type(), application.NonRetryable(), []parcel{}}
		var detail parcel
		if application.HasDetails() && application.Details(&detail) == nil {
			found.Details = append(found.Details, detail)
		}
		chain = append(chain, found)
	}
	return chain
}
