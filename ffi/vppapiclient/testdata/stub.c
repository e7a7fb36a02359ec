/*
 * A libvppapiclient for tests: the same symbols, no VPP. It answers control_ping, echoes anything
 * else, and keeps account of what it was asked, on which thread, and of every buffer it gave out.
 * stub_set and stub_get are its remote control.
 *
 * Build: cc -shared -fPIC -pthread -o libvppapiclient.so stub.c
 * -DWITHOUT_WRITE leaves vac_write out, -DWITHOUT_STAT the statistics.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum knob
{
  CONNECT_RESULT,
  CONNECT_MS,
  WRITE_RESULT,
  DISCONNECT_MS,
  SILENT,
  STAT_RESULT,
  STAT_CHANGES,
  STAT_MS,
  /* Read only from here on. */
  HEAP_SIZE,
  CONNECTS,
  DISCONNECTS,
  WRITES,
  LIVE_BUFFERS,
  QUEUE_LENGTH,
  CALLER_IS_OTHER_THREAD,
  LAST_LENGTH,
  MESSAGE_TOUCHED,
  STAT_CLIENTS,
  STAT_MAPPED,
  STAT_VECTORS,
  STAT_TIMEOUT_NS,
  KNOBS
};

static long knobs[KNOBS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pid_t writer;

long
stub_get (int knob)
{
  pthread_mutex_lock (&lock);
  long value = knob == CALLER_IS_OTHER_THREAD ? writer != gettid () : knobs[knob];
  pthread_mutex_unlock (&lock);
  return value;
}

void
stub_set (int knob, long value)
{
  pthread_mutex_lock (&lock);
  knobs[knob] = value;
  pthread_mutex_unlock (&lock);
}

static void
add (int knob, long value)
{
  pthread_mutex_lock (&lock);
  knobs[knob] += value;
  pthread_mutex_unlock (&lock);
}

/* ---- vppapiclient.h ---- */

typedef void (*vac_callback_t) (unsigned char *data, int len);

struct message
{
  struct message *next;
  int length;
  unsigned char data[];
};

static char names[2][128];
static vac_callback_t callback;
static pthread_t receiver;
static struct message *queue, **queue_end = &queue;
static bool connected, leaving;

void
vac_mem_init (size_t size)
{
  if (stub_get (HEAP_SIZE) == 0)
    stub_set (HEAP_SIZE, (long) size);
}

char *
stub_name (int which)
{
  return names[which];
}

static void *
receive (void *unused)
{
  (void) unused;
  pthread_mutex_lock (&lock);
  while (1)
    {
      while (queue == NULL && !leaving)
	pthread_cond_wait (&changed, &lock);
      if (queue == NULL)
	break;
      struct message *message = queue;
      queue = message->next;
      if (queue == NULL)
	queue_end = &queue;
      pthread_mutex_unlock (&lock);
      unsigned char first = message->data[0];
      callback (message->data, message->length);
      if (message->data[0] != first)
	add (MESSAGE_TOUCHED, 1);
      /* Whoever still looks at it is to see that it is not his. */
      memset (message->data, 0xdd, message->length);
      free (message);
      add (LIVE_BUFFERS, -1);
      pthread_mutex_lock (&lock);
    }
  pthread_mutex_unlock (&lock);
  return NULL;
}

static void
answer (const unsigned char *data, int length)
{
  struct message *message = malloc (sizeof (*message) + length);
  message->next = NULL;
  message->length = length;
  memcpy (message->data, data, length);
  pthread_mutex_lock (&lock);
  knobs[LIVE_BUFFERS]++;
  *queue_end = message;
  queue_end = &message->next;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
}

/* Hands any octets to the client, as if VPP had sent them. */
void
stub_send (const unsigned char *data, int length)
{
  answer (data, length);
}

int
vac_connect (char *name, char *chroot_prefix, vac_callback_t cb, int rx_qlen)
{
  usleep (1000 * stub_get (CONNECT_MS));
  add (CONNECTS, 1);
  long result = stub_get (CONNECT_RESULT);
  if (result != 0)
    return (int) result;
  if (connected)
    return -1;
  snprintf (names[0], sizeof (names[0]), "%s", name);
  snprintf (names[1], sizeof (names[1]), "%s", chroot_prefix ? chroot_prefix : "");
  stub_set (QUEUE_LENGTH, rx_qlen);
  callback = cb;
  leaving = false;
  connected = true;
  return pthread_create (&receiver, NULL, receive, NULL);
}

int
vac_disconnect (void)
{
  usleep (1000 * stub_get (DISCONNECT_MS));
  add (DISCONNECTS, 1);
  if (!connected)
    return 0;
  pthread_mutex_lock (&lock);
  leaving = true;
  pthread_cond_broadcast (&changed);
  pthread_mutex_unlock (&lock);
  pthread_join (receiver, NULL);
  connected = false;
  return 0;
}

/* Numbers of messages: 30 and 31 for ping and its reply, 100 for all that is not nonsense. */
int
vac_get_msg_index (char *name)
{
  if (strncmp (name, "control_ping_reply_", 19) == 0)
    return 31;
  if (strncmp (name, "control_ping_", 13) == 0)
    return 30;
  if (strncmp (name, "show_version_reply_", 19) == 0)
    return 33;
  if (strncmp (name, "cli_inband_reply_", 17) == 0)
    return 35;
  if (strncmp (name, "cli_inband_", 11) == 0)
    return 34;
  return -1;
}

#ifndef WITHOUT_WRITE
int
vac_write (char *data, int length)
{
  long result = stub_get (WRITE_RESULT);
  add (WRITES, 1);
  stub_set (LAST_LENGTH, length);
  writer = gettid ();
  if (result != 0)
    return (int) result;
  if (stub_get (SILENT))
    return 0;
  unsigned char *request = (unsigned char *) data;
  int id = request[0] << 8 | request[1];
  if (id == 30)
    {
      /* control_ping_reply: id, context, retval, client_index, vpe_pid */
      unsigned char reply[18] = { 0, 31 };
      uint32_t pid = (uint32_t) getpid ();
      memcpy (reply + 2, request + 6, 4);
      for (int i = 0; i < 4; i++)
	reply[14 + i] = pid >> (24 - 8 * i);
      answer (reply, sizeof (reply));
    }
  else
    {
      /* cli_inband_reply: id, context, retval, u32 length, the command */
      unsigned char *reply = calloc (1, length + 4);
      reply[1] = 35;
      memcpy (reply + 2, request + 6, 4);
      memcpy (reply + 10, request + 10, length - 10);
      answer (reply, length);
      free (reply);
    }
  return 0;
}
#endif

/* ---- stat_client.h ---- */
#ifndef WITHOUT_STAT

struct vector
{
  long length;
  unsigned char data[];
};

static void *
vector (long length, size_t size, const void *content)
{
  struct vector *made = malloc (sizeof (*made) + length * size);
  made->length = length;
  if (content)
    memcpy (made->data, content, length * size);
  add (STAT_VECTORS, 1);
  return made->data;
}

static struct vector *
header (void *data)
{
  return (struct vector *) ((unsigned char *) data - sizeof (struct vector));
}

struct stat_client
{
  uint64_t epoch;
  void *shared_header;
  void *directory;
  long memory_size;
  uint64_t timeout;
};

struct stat_data
{
  char *name;
  int type;
  bool via_symlink;
  union
  {
    double scalar;
    void *vector;
  };
};

void *
stat_client_get (void)
{
  add (STAT_CLIENTS, 1);
  return calloc (1, sizeof (struct stat_client));
}

void
stat_client_free (void *client)
{
  add (STAT_CLIENTS, -1);
  free (client);
}

int
stat_segment_connect_r (const char *socket_name, void *client)
{
  usleep (1000 * stub_get (STAT_MS));
  memset (client, 0, sizeof (struct stat_client));
  snprintf (names[0], sizeof (names[0]), "%s", socket_name);
  long result = stub_get (STAT_RESULT);
  if (result == 0)
    add (STAT_MAPPED, 1);
  return (int) result;
}

void
stat_segment_disconnect_r (void *client)
{
  (void) client;
  add (STAT_MAPPED, -1);
}

int
stat_segment_vec_len (void *data)
{
  return data ? (int) header (data)->length : 0;
}

void
stat_segment_vec_free (void *data)
{
  if (data == NULL)
    return;
  free (header (data));
  add (STAT_VECTORS, -1);
}

uint8_t **
stat_segment_string_vector (uint8_t **strings, const char *string)
{
  long length = stat_segment_vec_len (strings);
  uint8_t **longer = vector (length + 1, sizeof (*longer), NULL);
  if (strings)
    memcpy (longer, strings, length * sizeof (*longer));
  stat_segment_vec_free (strings);
  longer[length] = vector ((long) strlen (string) + 1, 1, string);
  return longer;
}

uint32_t *
stat_segment_ls_r (uint8_t **patterns, void *client)
{
  struct stat_client *sm = client;
  stub_set (STAT_TIMEOUT_NS, (long) sm->timeout);
  long changes = stub_get (STAT_CHANGES);
  if (changes > 0)
    {
      stub_set (STAT_CHANGES, changes - 1);
      return NULL;
    }
  uint32_t indices[] = { 0, 1, 2, 3, 4 };
  return vector (stat_segment_vec_len (patterns) > 0 ? 5 : 0, sizeof (uint32_t), indices);
}

void *
stat_segment_dump_r (uint32_t *stats, void *client)
{
  (void) client;
  if (stat_segment_vec_len (stats) == 0)
    return vector (0, 1, NULL);
  uint64_t simple[2][3] = { { 1, 2, 3 }, { 10, 20, 30 } };
  uint64_t pairs[4] = { 5, 500, 6, 600 };
  void *threads[] = { vector (3, 8, simple[0]), vector (3, 8, simple[1]) };
  void *one[] = { vector (2, 16, pairs) };
  void *strings[] = { vector (7, 1, "local0"), NULL, vector (5, 1, "tap0") };
  struct stat_data data[5] = {
    { strdup ("/sys/heartbeat"), 1, false, { .scalar = 7.5 } },
    { strdup ("/if/drops"), 2, false, { .vector = vector (2, 8, threads) } },
    { strdup ("/if/rx"), 3, false, { .vector = vector (1, 8, one) } },
    { strdup ("/if/names"), 4, false, { .vector = vector (3, 8, strings) } },
    { strdup ("/new/kind"), 99, true, { .vector = NULL } },
  };
  return vector (5, sizeof (data[0]), data);
}

void
stat_segment_data_free (void *all)
{
  struct stat_data *data = all;
  for (int i = 0; i < stat_segment_vec_len (data); i++)
    {
      free (data[i].name);
      if (data[i].type == 1 || data[i].vector == NULL)
	continue;
      void **inner = data[i].vector;
      for (int j = 0; j < stat_segment_vec_len (inner); j++)
	stat_segment_vec_free (inner[j]);
      stat_segment_vec_free (inner);
    }
  stat_segment_vec_free (all);
}
#endif
