// What OpenTok's sample server does for GET /room/:name, with the packages and the middleware that
// it does it with: rooms in memory, a token for each request.
const path = require('path');
const express = require('express');
const cors = require('cors');
const logger = require('morgan');
const bodyParser = require('body-parser');
const cookieParser = require('cookie-parser');
const OpenTok = require('opentok');

const { PORT, TOKBOX_API_KEY, TOKBOX_SECRET, OPENTOK_API_URL } = process.env;
const opentok = new OpenTok(TOKBOX_API_KEY, TOKBOX_SECRET, OPENTOK_API_URL);
const sessionOfRoom = {};

function sendCredentials(res, sessionId) {
  const token = opentok.generateToken(sessionId, { role: 'moderator' });
  res.setHeader('Content-Type', 'application/json');
  res.send({ apiKey: TOKBOX_API_KEY, sessionId, token });
}

const app = express();
app.use(logger('dev'));
app.use(bodyParser.json());
app.use(bodyParser.urlencoded({ extended: true }));
app.use(cookieParser());
app.use(express.static(path.join(__dirname, 'public')));
app.use(cors());
app.get('/room/:name', (req, res) => {
  const known = sessionOfRoom[req.params.name];
  if (known) {
    sendCredentials(res, known);
    return;
  }
  opentok.createSession({ mediaMode: 'routed' }, (error, session) => {
    if (error) {
      res.status(500).send({ error: `createSession error:${error}` });
      return;
    }
    sessionOfRoom[req.params.name] = session.sessionId;
    sendCredentials(res, session.sessionId);
  });
});
app.listen(PORT, '127.0.0.1');
