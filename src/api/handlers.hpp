#pragma once

#include "api/call.hpp"

/// One function per operation of openapi/latchkey.yaml, in the files that carry the feature's name.
namespace latchkey::api {

// sign_in.cpp
Answer StartSignIn(Call& call);
Answer FinishSignIn(Call& call);
Answer BindSetup(Call& call);

// sessions.cpp
Answer GetSession(Call& call);
Answer ListSessions(Call& call);
Answer EndSession(Call& call);
Answer Logout(Call& call);

// connect.cpp
Answer StartConnect(Call& call);
Answer IssueConnectTicket(Call& call);
Answer FinishConnect(Call& call);
Answer CreateConnectAttempt(Call& call);
Answer GetConnectAttempt(Call& call);
Answer ReconnectAccount(Call& call);

// connected_accounts.cpp
Answer ListConnectedAccounts(Call& call);
Answer GetConnectedAccount(Call& call);
Answer UpdateConnectedAccount(Call& call);
Answer SyncNow(Call& call);
Answer PauseAccount(Call& call);
Answer ResumeAccount(Call& call);
Answer ListAccountActivity(Call& call);
Answer GetAccountHealth(Call& call);
Answer ListSyncStatus(Call& call);

// audits.cpp
Answer StartAudit(Call& call);
Answer GetAudit(Call& call);

// disconnect.cpp
Answer DisconnectAccount(Call& call);
Answer DisconnectByProvider(Call& call);
Answer PreviewErasure(Call& call);
Answer GetErasure(Call& call);

// messages.cpp
Answer ListMessages(Call& call);
Answer GetMessage(Call& call);
Answer ListLabels(Call& call);

// send.cpp
Answer SendMessage(Call& call);
Answer SendByProvider(Call& call);
Answer ListSendAddresses(Call& call);

// outbox.cpp
Answer ListOutbox(Call& call);
Answer GetOutgoing(Call& call);
Answer CancelOutgoing(Call& call);
Answer RetryOutgoing(Call& call);

// uploads.cpp
Answer UploadFile(Call& call);
Answer DeleteUpload(Call& call);

// message_view.cpp
Answer ViewMessage(Call& call);
Answer ProxyImage(Call& call);

// attachments.cpp
Answer DownloadAttachment(Call& call);

// calendars.cpp
Answer ListCalendars(Call& call);
Answer UpdateCalendar(Call& call);
Answer ListCalendarEvents(Call& call);
Answer GetCalendarEvent(Call& call);

// event_streams.cpp
Answer StreamEvents(Call& call);

// jobs.cpp
Answer ListJobs(Call& call);
Answer RetryJob(Call& call);
Answer CancelJob(Call& call);
Answer ListNotices(Call& call);

// webhooks.cpp
Answer ReceiveGmailPush(Call& call);
Answer ReceiveCalendarPush(Call& call);
Answer ReceiveGraphPush(Call& call);

// operations.cpp
Answer GetHealth(Call& call);
Answer GetReadiness(Call& call);
Answer GetMetrics(Call& call);
Answer GetOpenApi(Call& call);
Answer GetJwks(Call& call);

}  // namespace latchkey::api
