// The simulator's stand-in for Plaid's link-initialize.js: the same surface, an own page in a frame.
// https://plaid.com/docs/link/web/
(() => {
  'use strict';

  const script = document.currentScript;
  const frameUrl = new URL('link.html', script.src);
  const ready = 'plaid-link-simulator:ready';
  const start = 'plaid-link-simulator:start';
  const LOAD_TIMEOUT_MS = 15000;

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
    const covered = [...document.body.children].filter((element) => element !== frame && !element.inert);
    for (const element of covered) element.inert = true;
    document.body.style.overflow = 'hidden';
    return () => {
      for (const element of covered) element.inert = false;
      document.body.style.overflow = overflow;
      if (focused instanceof HTMLElement) focused.focus();
    };
  };

  const makeFrame = () => {
    const frame = document.createElement('iframe');
    frame.title = 'Plaid Link (simulator)';
    frame.src = frameUrl.href;
    frame.hidden = true;
    Object.assign(frame.style, {
      position: 'fixed',
      inset: '0',
      width: '100%',
      height: '100%',
      border: '0',
      zIndex: '2147483647',
      colorScheme: 'normal',
      display: 'none',
    });
    return frame;
  };

  const create = (config) => {
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
      frame.hidden = true;
      frame.style.display = 'none';
      uncover?.();
      uncover = null;
    };

    const show = () => {
      frame.hidden = false;
      frame.style.display = 'block';
      uncover ??= coverPage(frame);
      frame.focus();
      port.postMessage({ kind: 'open', token: config.token, receivedRedirectUri: config.receivedRedirectUri });
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
        if (wanted) show();
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
      },
    };
    port.onmessage = ({ data }) => heard[data?.kind]?.(data);

    // The frame announces itself to whoever embeds it; everything after that goes through the channel, which
    // is handed to the frame's origin alone.
    const greet = (message) => {
      if (message.source !== frame.contentWindow || message.origin !== frameUrl.origin) return;
      if (message.data !== ready) return;
      window.removeEventListener('message', greet);
      frame.contentWindow.postMessage(start, frameUrl.origin, [channel.port2]);
    };
    window.addEventListener('message', greet);
    document.body.append(frame);

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

  window.Plaid = { version: 'simulator', create };
})();
