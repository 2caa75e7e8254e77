package main

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	_ "go.temporal.io/api/errordetails/v1" // so that details can be read
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Line is one fact of an answer: where it stands, and what it says.
type Line struct{ path, value string }

// Step is one call of a script with its answer.
type Step struct {
	label string
	lines []Line
}

// Transcript is what a script saw of a server, less what may differ from one run to the next.
type Transcript struct {
	steps []Step
	names map[string]string
	salt  string
}

// Fields whose value says nothing about behaviour: internal numbering, sizes in the server's own
// encoding, and hints that depend on load.
var ignoredFields = map[string]bool{
	"task_id": true, "version": true, "history_size_bytes": true, "state_transition_count": true,
	"backlog_count_hint": true, "poller_scaling_decision": true, "failover_version": true,
	"most_recent_worker_version_stamp": true,
	// How long the wait for a timer still is, or how long a run took.
	"first_workflow_task_backoff": true, "execution_duration": true,
}

// Fields that are opaque to clients. That they are set is compared, what they hold is not.
var opaqueFields = map[string]bool{"task_token": true, "next_page_token": true, "raw_history": true}

var uuidPattern = regexp.MustCompile(
	`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// stable gives ids that a server made the name of their first appearance, so that two places with
// the same id still show that they have the same id.
func (t *Transcript) stable(text string) string {
	if t.salt != "" {
		text = strings.ReplaceAll(text, t.salt, "")
	}
	// Go varies the spaces in the text of a message on purpose.
	text = strings.ReplaceAll(text, "  ", " ")
	return uuidPattern.ReplaceAllStringFunc(text, func(id string) string {
		if t.names[id] == "" {
			t.names[id] = fmt.Sprintf("<id %d>", len(t.names)+1)
		}
		return t.names[id]
	})
}

func (t *Transcript) note(label string, lines ...Line) {
	t.steps = append(t.steps, Step{fmt.Sprintf("%d.%s", len(t.steps)+1, label), lines})
}

func (t *Transcript) noteAnswer(label string, answer proto.Message, err error) {
	if err != nil {
		t.note(label, t.errorLines(err)...)
		return
	}
	lines := []Line{{"code", "OK"}}
	t.flatten("", answer.ProtoReflect(), &lines)
	t.note(label, lines...)
}

func (t *Transcript) errorLines(err error) []Line {
	answer := status.Convert(err)
	lines := []Line{{"code", answer.Code().String()}}
	// What a client's own deadline or cancellation says is the library's text, not the server's.
	if answer.Code() != codes.DeadlineExceeded && answer.Code() != codes.Canceled {
		lines = append(lines, Line{"message", t.stable(answer.Message())})
	}
	for i, detail := range answer.Details() {
		prefix := fmt.Sprintf("detail[%d]", i)
		message, ok := detail.(proto.Message)
		if !ok {
			lines = append(lines, Line{prefix, fmt.Sprint(detail)})
			continue
		}
		lines = append(lines, Line{prefix, string(message.ProtoReflect().Descriptor().Name())})
		t.flatten(prefix+".", message.ProtoReflect(), &lines)
	}
	return lines
}

// flatten appends a line for every field that is set, in the order of field numbers.
func (t *Transcript) flatten(prefix string, message protoreflect.Message, lines *[]Line) {
	type entry struct {
		field protoreflect.FieldDescriptor
		value protoreflect.Value
	}
	var entries []entry
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if !ignoredFields[string(field.Name())] {
			entries = append(entries, entry{field, value})
		}
		return true
	})
	sort.Slice(entries, func(i, j int) bool {
		return entries[i].field.Number() < entries[j].field.Number()
	})
	for _, e := range entries {
		t.flattenField(prefix+string(e.field.Name()), e.field, e.value, lines)
	}
}

func (t *Transcript) flattenField(path string, field protoreflect.FieldDescriptor,
	value protoreflect.Value, lines *[]Line) {
	switch {
	case opaqueFields[string(field.Name())]:
		*lines = append(*lines, Line{path, "<set>"})
	case field.IsMap():
		keys := []string{}
		byKey := map[string]protoreflect.Value{}
		value.Map().Range(func(key protoreflect.MapKey, item protoreflect.Value) bool {
			keys = append(keys, key.String())
			byKey[key.String()] = item
			return true
		})
		sort.Strings(keys)
		for _, key := range keys {
			t.flattenValue(path+"["+t.stable(key)+"]", field.MapValue(), byKey[key], lines)
		}
	case field.IsList():
		for i := 0; i < value.List().Len(); i++ {
			t.flattenValue(path+"["+strconv.Itoa(i)+"]", field, value.List().Get(i), lines)
		}
	default:
		t.flattenValue(path, field, value, lines)
	}
}

func (t *Transcript) flattenValue(path string, field protoreflect.FieldDescriptor,
	value protoreflect.Value, lines *[]Line) {
	add := func(text string) { *lines = append(*lines, Line{path, text}) }
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		message := value.Message()
		switch message.Descriptor().FullName() {
		case "google.protobuf.Timestamp":
			add("<time>")
		case "google.protobuf.Duration":
			seconds := message.Get(message.Descriptor().Fields().ByNumber(1)).Int()
			nanos := message.Get(message.Descriptor().Fields().ByNumber(2)).Int()
			add(fmt.Sprintf("%d.%09ds", seconds, nanos))
		default:
			// An empty message that is set is not the same as one that is absent.
			before := len(*lines)
			t.flatten(path+".", message, lines)
			if len(*lines) == before {
				add("{}")
			}
		}
	case protoreflect.EnumKind:
		if named := field.Enum().Values().ByNumber(value.Enum()); named != nil {
			add(string(named.Name()))
		} else {
			add(strconv.Itoa(int(value.Enum())))
		}
	case protoreflect.BytesKind:
		add(strconv.Quote(t.stable(string(value.Bytes()))))
	case protoreflect.StringKind:
		add(strconv.Quote(t.stable(value.String())))
	default:
		add(fmt.Sprint(value.Interface()))
	}
}

// Difference is a fact that the two servers do not share; an absent side is empty.
type Difference struct{ step, path, stele, temporal string }

// compare lists what differs between two transcripts, step by step.
func compare(stele, temporal *Transcript) []Difference {
	var differences []Difference
	for i := 0; i < max(len(stele.steps), len(temporal.steps)); i++ {
		switch {
		case i >= len(stele.steps):
			differences = append(differences,
				Difference{temporal.steps[i].label, "step", "", "played"})
		case i >= len(temporal.steps):
			differences = append(differences,
				Difference{stele.steps[i].label, "step", "played", ""})
		case stele.steps[i].label != temporal.steps[i].label:
			// The script took another way, so that later steps have nothing to be compared with.
			return append(differences, Difference{temporal.steps[i].label, "step",
				stele.steps[i].label, temporal.steps[i].label})
		default:
			differences = append(differences, compareSteps(stele.steps[i], temporal.steps[i])...)
		}
	}
	return differences
}

func compareSteps(stele, temporal Step) []Difference {
	var differences []Difference
	values := map[string]string{}
	for _, line := range stele.lines {
		values[line.path] = line.value
	}
	for _, line := range temporal.lines {
		if values[line.path] != line.value {
			differences = append(differences,
				Difference{temporal.label, line.path, values[line.path], line.value})
		}
		delete(values, line.path)
	}
	for _, line := range stele.lines {
		if _, left := values[line.path]; left {
			differences = append(differences, Difference{stele.label, line.path, line.value, ""})
		}
	}
	return differences
}
