// The bare loop that an export is compared with: on one thread and one libcurl multi handle it reads the shop's pages,
// writes one durable row for each message of a page, and posts the messages. It reads the next page meanwhile, as the
// connector does, and like it runs ahead of the OMS by a bounded number of messages. The messages are given.
//
// `skim`: of a page it looks at nothing but how many items are left. `parse`: it takes the page apart with json-c, to
// find that and the id of the last item, as any program has to that does not know the messages already.
//
// Prints the CPU time that it took from start to end, in seconds.
// Usage: bare-export DATABASE PRAGMAS CHECKPOINT_PAGES RECORD PAGES_URL PAGE_SIZE POST_URL CONCURRENCY
// skim|parse
#include <curl/curl.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../bodies.h"
#include "../rows.h"
#include "../whole_file.h"

enum { AHEAD = 10000, CONCURRENCY_LIMIT = 64, ANSWER_LIMIT = 256, URL_LIMIT = 1024 };

typedef struct {
  CURL *easy;
  size_t bytes;
  char answer[ANSWER_LIMIT + 1];
} Post;

static CURLM *multi;
static const char *pages_url, *post_url;
static bool parses;
static struct {
  CURL *easy;
  size_t bytes, room;
  char *text;
  bool is_under_way, is_last;
} page;
static Post posts[CONCURRENCY_LIMIT];
static Post *idle[CONCURRENCY_LIMIT];
static int idle_count;
static Body *bodies;
static int64_t page_size, body_count, durable, begun, posted;

static void require(CURLMcode code) {
  if (code != CURLM_OK) fail("libcurl", curl_multi_strerror(code));
}

static size_t receive_page(char *bytes, size_t one, size_t count, void *context) {
  (void)one, (void)context;
  if (page.bytes + count >= page.room) {
    page.room = 2 * (page.bytes + count) + 1;
    if (!(page.text = realloc(page.text, page.room))) fail("memory", "there is not enough");
  }
  memcpy(page.text + page.bytes, bytes, count);
  page.bytes += count;
  page.text[page.bytes] = 0;
  return count;
}

static size_t receive_answer(char *bytes, size_t one, size_t count, void *context) {
  (void)one;
  Post *post = context;
  if (post->bytes + count > ANSWER_LIMIT) return 0;
  memcpy(post->answer + post->bytes, bytes, count);
  post->bytes += count;
  post->answer[post->bytes] = 0;
  return count;
}

static CURL *make_easy(curl_write_callback receive, void *context, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  if (!easy) fail("libcurl", "makes no handle");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, context);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  return easy;
}

// Asks for the page after what is durable.
static void ask_page(void) {
  static const char filter[] = "searchCriteria%5Bfilter_groups%5D%5B0%5D%5Bfilters%5D%5B0%5D";
  char url[URL_LIMIT];
  snprintf(url, sizeof url,
           "%s?%s%%5Bfield%%5D=entity_id&%s%%5Bcondition_type%%5D=gt&%s%%5Bvalue%%5D=%lld"
           "&searchCriteria%%5BpageSize%%5D=%lld",
           pages_url, filter, filter, filter, (long long)durable, (long long)page_size);
  curl_easy_setopt(page.easy, CURLOPT_URL, url);
  page.bytes = 0;
  page.is_under_way = true;
  require(curl_multi_add_handle(multi, page.easy));
}

// Stands at the end of a page.
static int64_t skimmed_left(void) {
  static const char name[] = "\"total_count\":";
  const char *tail = page.text + (page.bytes > 64 ? page.bytes - 64 : 0);
  const char *total = strstr(tail, name);
  if (!total) fail(pages_url, "a page without total_count");
  return atoll(total + sizeof name - 1);
}

static int64_t parsed_left(void) {
  struct json_object *root = json_tokener_parse(page.text), *items, *total, *id;
  if (!json_object_object_get_ex(root, "items", &items) || !json_object_object_get_ex(root, "total_count", &total)) {
    fail(pages_url, "a page without items or total_count");
  }
  const size_t count = json_object_array_length(items);
  struct json_object *last = json_object_array_get_idx(items, count - 1);
  const bool has_id = json_object_object_get_ex(last, "entity_id", &id) || json_object_object_get_ex(last, "id", &id);
  if (!has_id || json_object_get_int64(id) != durable + (int64_t)count) fail(pages_url, "a page of other items");
  const int64_t left = json_object_get_int64(total);
  json_object_put(root);
  return left;
}

static void take_page(void) {
  const int64_t left = parses ? parsed_left() : skimmed_left(), count = left < page_size ? left : page_size;
  page.is_under_way = false;
  page.is_last = left <= page_size;
  if (durable + count > body_count) fail(pages_url, "more items than messages");
  rows_write(bodies + durable, count);
  durable += count;
}

static void begin_post(Post *post, const Body *body) {
  post->bytes = 0;
  curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, body->text);
  curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE, (long)body->bytes);
  require(curl_multi_add_handle(multi, post->easy));
}

static void finish(CURL *easy, CURLcode code) {
  long status = 0;
  void *context = NULL;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
  if (code != CURLE_OK) fail("request", curl_easy_strerror(code));
  if (status != 200) fail("request", "not answered with 200");
  require(curl_multi_remove_handle(multi, easy));
  if (easy == page.easy) {
    take_page();
    return;
  }
  Post *post = context;
  if (!strstr(post->answer, "\"result\":true")) fail("not taken", post->answer);
  posted++;
  idle[idle_count++] = post;
}

static void loop(void) {
  while (!page.is_last || posted < durable) {
    if (!page.is_last && !page.is_under_way && durable - begun <= AHEAD) ask_page();
    while (idle_count > 0 && begun < durable) begin_post(idle[--idle_count], &bodies[begun++]);
    int running, waiting;
    require(curl_multi_perform(multi, &running));
    bool has_finished = false;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &waiting));) {
      if (message->msg != CURLMSG_DONE) continue;
      finish(message->easy_handle, message->data.result);
      has_finished = true;
    }
    if (!has_finished) require(curl_multi_poll(multi, NULL, 0, 1000, NULL));
  }
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments) {
  const int concurrency = count == 10 ? atoi(arguments[8]) : 0;
  if (concurrency < 1 || concurrency > CONCURRENCY_LIMIT) {
    fprintf(stderr, "usage: bare-export DATABASE PRAGMAS CHECKPOINT_PAGES RECORD PAGES_URL PAGE_SIZE POST_URL "
                    "CONCURRENCY skim|parse\n");
    return 2;
  }
  rows_open(arguments[1], arguments[2], atoi(arguments[3]));
  bodies = bodies_read(arguments[4], &body_count);
  pages_url = arguments[5];
  page_size = atoll(arguments[6]);
  post_url = arguments[7];
  parses = strcmp(arguments[9], "parse") == 0;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(multi = curl_multi_init())) fail("libcurl", "can't be begun with");
  struct curl_slist *accepts = curl_slist_append(NULL, "Accept: application/json");
  struct curl_slist *sends = curl_slist_append(NULL, "Content-Type: application/json");
  page.easy = make_easy(receive_page, NULL, accepts);
  for (int i = 0; i < concurrency; i++) {
    posts[i].easy = make_easy(receive_answer, &posts[i], sends);
    curl_easy_setopt(posts[i].easy, CURLOPT_URL, post_url);
    idle[idle_count++] = &posts[i];
  }
  loop();
  for (int i = 0; i < concurrency; i++) curl_easy_cleanup(posts[i].easy);
  curl_easy_cleanup(page.easy);
  curl_multi_cleanup(multi);
  curl_slist_free_all(accepts);
  curl_slist_free_all(sends);
  rows_close();
  printf("%.6f\n", cpu_seconds());
  return 0;
}
