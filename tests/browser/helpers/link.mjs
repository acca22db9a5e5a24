// Going through Link as a person does, by what is written on the screen.

/** Settles when the window is closed, however long what leads to that takes. */
export function closing(page) {
  return new Promise((resolve) => {
    page.once('close', resolve);
  });
}

/** The main button of the broker's page. */
export function connectButton(page) {
  return page.getByRole('button', { name: /^Connect/ });
}

/** The simulator's Link. */
export function linkFrame(page) {
  return page.frameLocator('iframe[title="Plaid Link (simulator)"]');
}

/** From Link's first pane to the one that asks for credentials. */
export async function chooseBank(page, institution = 'First Platypus Bank') {
  const link = linkFrame(page);
  await link.getByRole('button', { name: 'Continue' }).click();
  // Plaid's Sandbox has two banks of one name: the first of them.
  await link.getByRole('button', { name: institution, exact: true }).first().click();
  return link;
}

/** Fills in and submits credentials. */
export async function logIn(link, password = 'pass_good', username = 'user_good') {
  await link.getByLabel('Username').fill(username);
  await link.getByLabel('Password').fill(password);
  await link.getByRole('button', { name: 'Submit' }).click();
}

/** Takes every account on offer, to Link's last pane. */
export async function chooseAccounts(link) {
  const boxes = link.getByRole('checkbox');
  await boxes.first().waitFor();
  for (const box of await boxes.all()) await box.check();
  await link.getByRole('button', { name: 'Continue' }).click();
  await link.getByRole('button', { name: 'Finish' }).waitFor();
}

/** All of it, from the broker's page until Link has closed. */
export async function passLink(page) {
  await connectButton(page).click();
  const link = await chooseBank(page);
  await logIn(link);
  await chooseAccounts(link);
  await link.getByRole('button', { name: 'Finish' }).click();
}
