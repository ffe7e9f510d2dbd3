// Eighteen topics in six groups, enough of each for the window: names, questions, policies.

import type { PolicySummary, TopicField, TopicSummary } from "../bindings";
import { hash } from "./random";

const groups: [string, string, [string, string, string][]][] = [
	[
		"G1",
		"Safety",
		[
			["allergy", "Allergy safety", "How bad was the reaction?"],
			["dietary", "Dietary needs", "How badly was the diet missed?"],
			["hygiene", "Hygiene", "How bad was the dirt or illness?"],
		],
	],
	[
		"G2",
		"Occasion",
		[
			["business", "Business meals", "How badly did it disturb the meeting?"],
			["group", "Groups", "How badly was the group served?"],
			["romance", "Romance", "How badly was the evening spoiled?"],
		],
	],
	[
		"G3",
		"Money and time",
		[
			["price_worth", "Price and worth", "How far was it from worth the price?"],
			["hidden_costs", "Hidden costs", "How large was the surprise on the bill?"],
			["time_value", "Worth the wait", "How long was the wait?"],
		],
	],
	[
		"G4",
		"House",
		[
			["server", "Service", "How bad was the service?"],
			["kitchen", "Kitchen", "How bad was the food?"],
			["environment", "Environment", "How unpleasant was the room?"],
		],
	],
	[
		"G5",
		"Operation",
		[
			["capacity", "Capacity", "How overrun was the place?"],
			["execution", "Execution", "How wrong was the order?"],
			["consistency", "Consistency", "How different was it from last time?"],
		],
	],
	[
		"G6",
		"Standing",
		[
			["uniqueness", "Uniqueness", "How ordinary is it?"],
			["comparison", "Comparison", "How does it fall behind others?"],
			["loyalty", "Loyalty", "How likely is it that the guest stays away?"],
		],
	],
];

const values = (...ids: string[]) => ids.map((id) => ({ id, label: id.replaceAll("_", " ") }));

function fieldsOf(severityQuestion: string): TopicField[] {
	return [
		{
			field: "account_type",
			label: "Who",
			question: "Who does the story happen to?",
			values: values("firsthand", "secondhand", "hypothetical"),
		},
		{
			field: "incident_severity",
			label: "Severity",
			question: severityQuestion,
			values: values("none", "mild", "moderate", "severe"),
		},
		{
			field: "assurance_claim",
			label: "Said safe",
			question: "Did staff give their word?",
			values: values("true", "false", "unknown"),
		},
		{
			field: "staff_response",
			label: "Staff",
			question: "What did staff do?",
			values: values("accommodated", "refused", "dismissive", "none", "unknown"),
		},
	];
}

function policiesOf(topic: string, bestLast: boolean): PolicySummary[] {
	const verdicts = bestLast
		? ["Needs Improvement", "Satisfactory", "Excellent"]
		: ["Low Risk", "High Risk", "Critical Risk"];
	const titles = ["Rules", "Rules, single incidents", "Points", "Points, recency"];
	return titles.map((title, i) => ({
		policy: `${topic}_V${i}`,
		variant: `V${i}`,
		title,
		verdicts,
		worstFirst: bestLast,
		scored: i >= 2,
	}));
}

export const topics: TopicSummary[] = groups.flatMap(([group, groupName, list]) =>
	list.map(([id, name, question]) => {
		const topic = `${group}_${id}`;
		const bestLast = group === "G4" || group === "G6";
		return {
			topic,
			name,
			group,
			groupName,
			title: `${name} assessment`,
			termHash: (hash(topic).toString(16) + hash(name).toString(16)).padEnd(16, "0").slice(0, 16),
			fields: fieldsOf(question),
			policies: policiesOf(topic, bestLast),
			coverage: null,
		};
	}),
);

export const topicById = new Map(topics.map((t) => [t.topic, t]));
