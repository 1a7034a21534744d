/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <config.h>

#include "daemon/notify/curl.h"

#include <dlfcn.h>
#include <pthread.h>

static struct {
	struct curl_calls calls;
	struct error why; /* code OK: it is there */
} curl;

static void *look_up(void *library, const char *name)
{
	void *p = dlsym(library, name);

	if (!p && curl.why.code == OK)
		error_set(&curl.why, E_UNAVAILABLE,
			"%s has no '%s': it is not the libcurl that "
			"benchd was built for",
			CURL_SONAME, name);
	return p;
}

static void open_library(void)
{
	void *library = dlopen(CURL_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		error_set(&curl.why, E_UNAVAILABLE,
			"nothing can be sent without libcurl (on Debian: apt install "
			"libcurl3-gnutls): %s",
			dlerror());
		return;
	}
#define X(name) *(void **)&curl.calls.name = look_up(library, "curl_" #name);
	CURL_CALLS(X)
#undef X
	if (curl.why.code == OK && curl.calls.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		error_set(&curl.why, E_UNAVAILABLE, "libcurl does not start");
}

int curl_load(const struct curl_calls **ret, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_library);
	if (curl.why.code != OK) {
		*err = curl.why;
		return curl.why.code;
	}
	*ret = &curl.calls;
	return OK;
}
