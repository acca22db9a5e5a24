// The simulator's stand-in for Plaid's link-initialize.js: the same surface, an own page in a frame.
// https://plaid.com/docs/link/web/
(() => {
  'use strict';

  const script = document.currentScript;
  const frameUrl = new URL('link.html', script.src);
  const ready = 'plaid-link-simulator:ready';
  const started = 'plaid-link-simulator:start';
  const LOAD_TIMEOUT_MS = 15000;

  if (window.Plaid) {
    console.warn('link-initialize.js is loaded more than once in this page. Plaid does not support that: load it once.');
  }

  const needFunction = (config, name, required) => {
    const value = config[name];
    if (value === undefined || value === null) {
      if (required) throw new Error(`Missing Link parameter. Link requires the parameter "${name}".`);
      return () => {};
    }
    if (typeof value !== 'function') throw new Error(`Invalid Link parameter: "${name}" must be a function.`);
    return value;
  };

  // A callback of the page that throws must not stop Link from closing.
  const call = (callback, ...values) => {
    try {
      callback(...values);
    } catch (error) {
      setTimeout(() => {
        throw error;
      });
    }
  };

  // The page behind is out of reach, for keyboard and screen reader too, while Link is open.
  const coverPage = (frame) => {
    const focused = document.activeElement;
    const overflow = document.body.style.overflow;
    const covered = [];
    for (let inside = frame; inside.parentElement && inside !== document.body; inside = inside.parentElement) {
      covered.push(...[...inside.parentElement.children].filter((element) => element !== inside && !element.inert));
    }
    for (const element of covered) element.inert = true;
    document.body.style.overflow = 'hidden';
    return () => {
      for (const element of covered) element.inert = false;
      document.body.style.overflow = overflow;
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
    };
  };

  const COVERING = { position: 'fixed', inset: '0', width: '100%', height: '100%', zIndex: '2147483647', display: 'block' };
  const LISTED = { position: 'static', inset: 'auto', width: '100%', height: '360px', zIndex: 'auto', display: 'block' };

  const makeFrame = () => {
    const frame = document.createElement('iframe');
    frame.title = 'Plaid Link (simulator)';
    frame.src = frameUrl.href;
    Object.assign(frame.style, { border: '0', colorScheme: 'normal', display: 'none' });
    return frame;
  };

  // `place` is where an embedded list of banks stands; without it Link covers the page when it is opened.
  const start = (config, place) => {
    if (typeof config !== 'object' || config === null) throw new Error('Plaid.create needs a configuration object.');
    const onSuccess = needFunction(config, 'onSuccess', true);
    const onExit = needFunction(config, 'onExit', false);
    const onEvent = needFunction(config, 'onEvent', false);
    const onLoad = needFunction(config, 'onLoad', false);
    if (typeof config.token !== 'string' || config.token === '') {
      throw new Error('Missing Link parameter. Link requires the parameter "token": a link_token.');
    }

    const frame = makeFrame();
    const channel = new MessageChannel();
    let port = channel.port1;
    let loaded = false;
    let wanted = false;
    let uncover = null;

    const close = () => {
      wanted = false;
      frame.style.display = 'none';
      uncover?.();
      uncover = null;
    };

    const cover = () => {
      Object.assign(frame.style, COVERING);
      uncover ??= coverPage(frame);
      frame.focus();
    };

    const show = () => {
      if (place) Object.assign(frame.style, LISTED);
      else cover();
      const { token, receivedRedirectUri } = config;
      port.postMessage({ kind: 'open', token, receivedRedirectUri, listed: Boolean(place) });
    };

    const loadFailed = setTimeout(() => {
      if (loaded || !port) return;
      const error = {
        error_type: 'API_ERROR',
        error_code: 'INTERNAL_SERVER_ERROR',
        error_message: 'The page of the Link simulator did not load.',
        display_message: null,
      };
      close();
      call(onExit, error, { institution: null, status: null, link_session_id: '', request_id: '' });
    }, LOAD_TIMEOUT_MS);

    const heard = {
      ready() {
        loaded = true;
        clearTimeout(loadFailed);
        call(onLoad);
        if (port && wanted) show();
      },
      event({ name, metadata }) {
        call(onEvent, name, metadata);
      },
      success({ publicToken, metadata }) {
        close();
        call(onSuccess, publicToken, metadata);
      },
      exit({ error, metadata }) {
        close();
        call(onExit, error, metadata);
        // The list of banks is there for another try; a link token that gave out needs a new one.
        if (place && port && error?.error_code !== 'INVALID_LINK_TOKEN') {
          wanted = true;
          show();
        }
      },
      expand: cover,
      redirect({ url }) {
        window.location.assign(url);
      },
    };
    port.onmessage = ({ data }) => heard[data?.kind]?.(data);

    // The frame announces itself to whoever embeds it; everything after that goes through the channel, which
    // is handed to the frame's origin alone.
    const greet = (message) => {
      if (message.source !== frame.contentWindow || message.origin !== frameUrl.origin) return;
      if (message.data !== ready) return;
      window.removeEventListener('message', greet);
      frame.contentWindow.postMessage(started, frameUrl.origin, [channel.port2]);
    };
    window.addEventListener('message', greet);
    (place ?? document.body).append(frame);

    return {
      open() {
        if (!port || wanted) return;
        wanted = true;
        if (loaded) show();
      },
      exit(options) {
        if (!port || !wanted) return;
        if (loaded) port.postMessage({ kind: 'exit', force: options?.force === true });
        else close();
      },
      submit() {
        // Only Plaid's Layer product listens to this.
      },
      destroy() {
        if (!port) return;
        close();
        clearTimeout(loadFailed);
        window.removeEventListener('message', greet);
        port.close();
        port = null;
        frame.remove();
      },
    };
  };

  const create = (config) => start(config, null);

  const createEmbedded = (config, place) => {
    if (!(place instanceof Element)) throw new Error('Plaid.createEmbedded needs an element to stand in.');
    const handler = start(config, place);
    handler.open();
    return { destroy: handler.destroy };
  };

  window.Plaid = { version: 'simulator', create, createEmbedded };
})();
