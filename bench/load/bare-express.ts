// What an estimate is measured against: Express 5 that parses a JSON body and answers JSON, and nothing else.
import express from 'express';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use(express.json());
app.get('/readyz', (_req, res) => {
  res.json({ ready: true });
});
app.post('/api/v1/pricing/estimate', (req, res) => {
  const { vehicle_type: type, pickup_location: pickup }: Record<string, unknown> = req.body;
  res.json({ type, pickup, multiplier: 1 });
});
const server = app.listen(Number(process.env['PORT']), '127.0.0.1');
for (const end of ['SIGTERM', 'disconnect']) {
  process.once(end, () => {
    server.close();
    server.closeAllConnections();
    if (process.connected) process.disconnect();
  });
}
