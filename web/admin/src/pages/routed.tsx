/** The page of an address, or why it is not shown. */

import { Page } from '../parts/page';
import type { Role } from '../api.gen';
import { useRole } from '../context';
import { whyNot } from '../roles';
import type { Route } from '../router';
import { ApprovalsPage } from './approvals';
import { AuditPage } from './audit';
import { CataloguePage } from './catalogue';
import { UploadPage } from './catalogue-upload';
import { VersionPage } from './catalogue-version';
import { CostPage } from './cost';
import { OperatorsPage } from './operators';
import { OutagesPage } from './outages';
import { OverviewPage } from './overview';
import { PlayerPage } from './player';
import { PlayersPage } from './players';
import { SystemPage } from './system';

const NEEDS: Readonly<Record<Route['page'], Role>> = {
  overview: 'viewer',
  players: 'support',
  player: 'support',
  approvals: 'operator',
  outages: 'viewer',
  catalogue: 'viewer',
  version: 'viewer',
  upload: 'operator',
  cost: 'viewer',
  system: 'viewer',
  operators: 'owner',
  audit: 'operator',
  unknown: 'viewer',
};

export function RoutedPage({ route }: { route: Route }) {
  const reason = whyNot(useRole(), NEEDS[route.page]);
  if (reason !== null) {
    return (
      <Page title="Not for your role">
        <p className="notice">{reason}</p>
      </Page>
    );
  }
  switch (route.page) {
    case 'overview':
      return <OverviewPage />;
    case 'players':
      return <PlayersPage />;
    case 'player':
      return <PlayerPage key={route.hero} hero={route.hero} tab={route.tab} seq={route.seq} />;
    case 'approvals':
      return <ApprovalsPage />;
    case 'outages':
      return <OutagesPage />;
    case 'catalogue':
      return <CataloguePage />;
    case 'version':
      return <VersionPage key={route.version} version={route.version} view={route.view} />;
    case 'upload':
      return <UploadPage />;
    case 'cost':
      return <CostPage />;
    case 'system':
      return <SystemPage />;
    case 'operators':
      return <OperatorsPage />;
    case 'audit':
      return <AuditPage />;
    case 'unknown':
      return (
        <Page title="No such page">
          <p>
            <a href="#/overview">To the overview</a>
          </p>
        </Page>
      );
  }
}
