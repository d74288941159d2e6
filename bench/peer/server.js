// Rooms and archives as OpenTok's sample server, learning-opentok-node, serves them: its packages
// in the versions of its package-lock.json, its middleware in its order, its lines in the log, its
// rooms in memory. Captions and renders are left out. The SDK gets OpenTok's address, so that it
// calls the local one.
const http = require('http');
const path = require('path');
const bodyParser = require('body-parser');
const cookieParser = require('cookie-parser');
const cors = require('cors');
const debug = require('debug')('peer');
const express = require('express');
const _ = require('lodash');
const logger = require('morgan');
const OpenTok = require('opentok');

const { PORT, TOKBOX_API_KEY: apiKey, TOKBOX_SECRET, OPENTOK_API_URL } = process.env;
const opentok = new OpenTok(apiKey, TOKBOX_SECRET, OPENTOK_API_URL);
const sessionOfRoom = {};

const app = express();
app.set('views', path.join(__dirname, 'views'));
app.set('view engine', 'jade');
app.use(cors());
app.use(logger('dev'));
app.use(bodyParser.json());
app.use(bodyParser.urlencoded({ extended: false }));
app.use(cookieParser());
app.use(express.static(path.join(__dirname, 'public')));

function sendJson(res, body) {
  res.setHeader('Content-Type', 'application/json');
  res.send(body);
}

function sendCredentials(res, sessionId) {
  const token = opentok.generateToken(sessionId, { role: 'moderator' });
  sendJson(res, { apiKey, sessionId, token });
}

// A callback for the SDK, which answers 500 or goes on with what OpenTok said.
function unlessRefused(res, call, next) {
  return (error, answer) => {
    if (error) {
      console.error(error);
      res.status(500).send({ error: `${call} error:${error}` });
    } else {
      next(answer);
    }
  };
}

const routes = express.Router();

routes.get('/session', (req, res) => res.redirect('/room/session'));

routes.get('/room/:name', (req, res) => {
  const { name } = req.params;
  console.log(`a session for the room: ${name}`);
  if (sessionOfRoom[name]) {
    sendCredentials(res, sessionOfRoom[name]);
    return;
  }
  opentok.createSession({ mediaMode: 'routed' }, unlessRefused(res, 'createSession', (session) => {
    sessionOfRoom[name] = session.sessionId;
    sendCredentials(res, session.sessionId);
  }));
});

routes.post('/archive/start', (req, res) => {
  const { sessionId } = req.body;
  const name = _.findKey(sessionOfRoom, (known) => known === sessionId);
  opentok.startArchive(sessionId, { name }, unlessRefused(res, 'startArchive', (archive) => {
    sendJson(res, archive);
  }));
});

routes.post('/archive/:id/stop', (req, res) => {
  console.log(`stop of the archive: ${req.params.id}`);
  opentok.stopArchive(req.params.id, unlessRefused(res, 'stopArchive', (archive) => {
    sendJson(res, archive);
  }));
});

routes.get('/archive/:id/view', (req, res) => {
  console.log(`view of the archive: ${req.params.id}`);
  opentok.getArchive(req.params.id, unlessRefused(res, 'getArchive', (archive) => {
    if (archive.status === 'available') {
      res.redirect(archive.url);
    } else {
      res.render('pending', { title: 'Recording' });
    }
  }));
});

routes.get('/archive/:id', (req, res) => {
  console.log(`fetch of the archive: ${req.params.id}`);
  opentok.getArchive(req.params.id, unlessRefused(res, 'getArchive', (archive) => {
    sendJson(res, archive);
  }));
});

routes.get('/archive', (req, res) => {
  console.log('list of the archives');
  opentok.listArchives(_.pick(req.query, 'count', 'offset'), unlessRefused(res, 'listArchives',
    (archives) => sendJson(res, archives)));
});

app.use('/', routes);
app.use((req, res, next) => next(Object.assign(new Error('Not Found'), { status: 404 })));
app.use((error, req, res, next) => { // Express knows an error handler by its four arguments
  res.locals.message = error.message;
  res.status(error.status || 500);
  res.render('error');
});

http.createServer(app).listen(PORT, '127.0.0.1', () => debug(`listening on ${PORT}`));
