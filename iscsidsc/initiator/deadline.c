/* What has a time limit, in the order of the limits: no list of tasks is ever searched for it. */
#include "initiator/internal.h"

#define DEADLINE(node) LIST_OWNER(node, struct deadline, link)

static void insert_behind(struct list *place, struct list *node)
{
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

/* Most have the same time: the end is the place. One that has much less is found from the front,
 * so that the way is never longer than to the nearer end. */
static struct list *find_place(struct list *head, uint64_t due)
{
    struct list *back = head->previous;
    struct list *front = head;

    for (;;) {
        if (back == head || DEADLINE(back)->due <= due)
            return back;
        back = back->previous;
        if (DEADLINE(front->next)->due > due)
            return front;
        front = front->next;
    }
}

void deadline_set(struct session *session, struct deadline *deadline, uint64_t due)
{
    deadline->due = due;
    insert_behind(find_place(&session->deadlines, due), &deadline->link);
    if (due < session->next_due)
        session->next_due = due;
}

void deadline_clear(struct deadline *deadline)
{
    list_remove(&deadline->link);
}

static void end_late(struct deadline *deadline, uint64_t now)
{
    if (deadline->kind == DEADLINE_TASK)
        task_late(LIST_OWNER(deadline, struct task, deadline), now);
    else
        manage_late(LIST_OWNER(deadline, struct management, deadline));
}

void deadlines_tick(struct session *session, uint64_t now)
{
    struct list *first;

    if (now < session->next_due)
        return;
    while ((first = list_first(&session->deadlines)) && DEADLINE(first)->due <= now) {
        list_remove(first);
        end_late(DEADLINE(first), now);
    }
    session->next_due = first ? DEADLINE(first)->due : INITIATOR_NEVER;
}
