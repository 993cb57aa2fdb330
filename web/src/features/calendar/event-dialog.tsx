import { ExternalLink, Video } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import type { Calendar, CalendarEvent } from '@/shared/api/calendars';
import { providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { buttonLook } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { LinkedText } from '@/shared/ui/linked-text';
import { SwitchRow } from '@/shared/ui/switch';
import { colorOf, isDeclined } from './event-chip';
import { marksOf, titleOf, whenText, zoneText } from './words';

interface EventDialogProps {
  event: CalendarEvent;
  calendar: Calendar | undefined;
  account: ConnectedAccount | undefined;
  timeZone: string;
  onClose: () => void;
}

/** Web addresses only: a link of any other kind could run something. */
function webAddress(text: string | null): string | null {
  return text && /^https?:\/\//i.test(text) ? text : null;
}

/** Everything that is known of an event, in the reader's time zone or in its own. */
export function EventDialog({ event, calendar, account, timeZone, onClose }: EventDialogProps) {
  const [own, setOwn] = useState(false);
  const foreign = !event.is_all_day && event.time_zone !== null && event.time_zone !== timeZone;
  const zone = own && event.time_zone ? event.time_zone : timeZone;
  const at = event.start ? Date.parse(event.start) : 0;
  const marks = marksOf(event);
  const meeting = webAddress(event.conference_url);
  const page = webAddress(event.html_link);
  const struck = event.status === 'cancelled' || isDeclined(event);
  return (
    <Dialog
      open
      onClose={onClose}
      title={<bdi className={struck ? 'line-through' : undefined}>{titleOf(event)}</bdi>}
      description={whenText(event, zone)}
    >
      {foreign && event.time_zone && (
        <SwitchRow
          label={t('calendar.ownZone')}
          help={zoneText(event.time_zone, at)}
          checked={own}
          onChange={setOwn}
        />
      )}
      <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-4 gap-y-2">
        {marks.length > 0 && <Fact name={t('calendar.state')}>{marks.join(', ')}</Fact>}
        <Fact name={t('calendar.showsAs')}>{t(`calendar.shows.${event.shows_as}`)}</Fact>
        {event.location && (
          <Fact name={t('calendar.location')}>
            <bdi>
              <LinkedText text={event.location} />
            </bdi>
          </Fact>
        )}
        {calendar && (
          <Fact name={t('calendar.calendar')}>
            <span className="inline-flex items-center gap-2">
              <span
                aria-hidden
                className="size-3 shrink-0 rounded-full"
                style={{ background: colorOf(calendar) }}
              />
              <bdi>{calendar.name}</bdi>
            </span>
          </Fact>
        )}
        {account && (
          <Fact name={t('message.account')}>
            <bdi>{account.email}</bdi>
          </Fact>
        )}
        {event.organizer && (
          <Fact name={t('calendar.organizer')}>
            <bdi>{event.organizer.name ?? event.organizer.email}</bdi>
          </Fact>
        )}
        {event.series_id && (
          <Fact name={t('calendar.series')}>
            {t(event.is_exception ? 'calendar.seriesChanged' : 'calendar.seriesPart')}
          </Fact>
        )}
      </dl>
      {event.attendees.length > 0 && (
        <section className="mt-4">
          <h3 className="font-medium">{t('calendar.attendees', { count: event.attendees.length })}</h3>
          <ul className="thin-scroll mt-1 max-h-40 overflow-y-auto text-sm">
            {event.attendees.map((attendee, index) => (
              <li key={index} className="flex flex-wrap gap-x-2 py-0.5">
                <bdi className="min-w-0 break-all">{attendee.name ?? attendee.email}</bdi>
                <span className="text-muted">
                  {t(`calendar.response.${attendee.response}`)}
                  {attendee.optional && ` · ${t('calendar.optional')}`}
                </span>
              </li>
            ))}
          </ul>
          {event.attendees_omitted && <p className="text-sm text-muted">{t('calendar.moreAttendees')}</p>}
        </section>
      )}
      {event.description && (
        <div dir="auto" className="thin-scroll mt-4 max-h-60 overflow-y-auto break-words whitespace-pre-wrap">
          <LinkedText text={event.description} />
        </div>
      )}
      {(meeting || page) && (
        <div className="mt-5 flex flex-wrap justify-end gap-2">
          {page && (
            <a href={page} target="_blank" rel="noopener noreferrer" className={buttonLook()}>
              <ExternalLink aria-hidden className="size-4" />
              {t('calendar.openAt', { provider: providerName(account?.provider ?? null) })}
            </a>
          )}
          {meeting && (
            <a
              href={meeting}
              target="_blank"
              rel="noopener noreferrer"
              className={buttonLook({ look: 'primary' })}
            >
              <Video aria-hidden className="size-4" />
              {t('calendar.join')}
            </a>
          )}
        </div>
      )}
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}
