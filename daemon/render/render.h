/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door of render/: the same data in many shapes.
 *
 * For: turning nouns into the JSON documents of docs/api.md, and such documents into text,
 * Markdown, CSV, HTML, OpenMetrics, JUnit and SVG. A document is the one source of every shape,
 * so a comparison stored months ago renders like one made now.
 * Not for: asking the store, choosing a format, HTTP.
 *
 * Functions are pure: no I/O, no globals, any thread. Documents are borrowed, output is
 * appended to the caller's buf, scratch memory comes from the arena given. */
#ifndef DAEMON_RENDER_RENDER_H
#define DAEMON_RENDER_RENDER_H

enum format {
	F_JSON,
	F_TEXT,
	F_MARKDOWN,
	F_CSV,
	F_HTML,
	F_OPENMETRICS,
	F_SVG,
	F_ATOM,
	F_NDJSON,
	F_JUNIT
};

#endif
