"""Debian's Chromium, without a window, on the demo's page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

__all__ = ["PAGE", "Page", "browser_is_missing", "opened"]

PAGE = r"http://127\.0\.0\.1:\d+/#\S+"
"""The demo's page among what the demo prints."""
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
PATIENCE = 60.0


def browser_is_missing() -> str:
    """Why no browser can be opened here, or nothing."""
    missing = [name for name, path in (("chromium", CHROMIUM), ("chromium-driver", DRIVER)) if path is None]
    return f"needs Debian's {' and '.join(missing)}" if missing else ""


class Page:
    """The demo's page, by what a person does and sees on it."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._soon = WebDriverWait(driver, PATIENCE, poll_frequency=0.1)

    @property
    def conversation(self) -> WebElement:
        """The messages of the channel."""
        return self.driver.find_element(By.ID, "channel-message-list")

    def classify(self, picture: Path) -> None:
        """Type `/classify`, choose a file, send."""
        box = self._soon.until(lambda driver: driver.find_element(By.ID, "channel-composer-input"))
        self._soon.until(lambda _: box.is_displayed() and box.is_enabled())
        box.send_keys("/classify")
        self._soon.until(
            lambda driver: driver.find_elements(By.CSS_SELECTOR, "#command-picker-listbox [role=option]")
        )
        box.send_keys(Keys.ENTER)
        file = self._soon.until(lambda driver: driver.find_element(By.CSS_SELECTOR, "input[type=file]"))
        file.send_keys(str(picture))
        self._soon.until(lambda driver: picture.name in driver.find_element(By.ID, "channel-composer").text)
        send = self.driver.find_element(By.ID, "send-message")

        def sent(driver: Chrome) -> bool:
            if picture.name not in driver.find_element(By.ID, "channel-composer").text:
                return True
            if send.is_enabled():  # the page drops a click while it fits itself to its window
                send.click()
            return False

        WebDriverWait(self.driver, PATIENCE, poll_frequency=1.0).until(sent)

    def wait_for_message(self, text: str) -> WebElement:
        """The last message, once there is `text` in it."""

        def last(_: Chrome) -> WebElement | None:
            messages = self.conversation.find_elements(By.CSS_SELECTOR, ".channel-message")
            return messages[-1] if messages and text in messages[-1].text else None

        return self._soon.until(last)  # type: ignore[return-value] # `until` returns no None

    def wait_for_picture_in(self, message: WebElement) -> None:
        """Until the embed of this message shows a picture."""
        self._soon.until(
            lambda driver: any(
                driver.execute_script("return arguments[0].naturalWidth > 0;", image)
                for image in message.find_elements(By.CSS_SELECTOR, "img.embed-thumbnail")
            )
        )

    def wait_for_messages(self, number: int) -> None:
        """Until there are so many messages."""
        self._soon.until(
            lambda _: len(self.conversation.find_elements(By.CSS_SELECTOR, ".channel-message")) >= number
        )

    def press(self, label: str) -> None:
        """Press the button with this label under the last answer."""
        buttons = f".//button[normalize-space()='{label}']"
        self._soon.until(lambda _: self.conversation.find_elements(By.XPATH, buttons))[-1].click()

    def show_all(self) -> None:
        """Undo `show_only_the_last`."""
        self.driver.execute_script(
            "document.querySelectorAll('#channel-message-list > *').forEach("
            "(element) => { element.style.display = ''; });"
        )

    @property
    def form(self) -> WebElement:
        """The form that is open."""
        return self.driver.find_element(By.CSS_SELECTOR, ".modal-dialog")

    def wait_for_form(self) -> None:
        """Until a form is open."""
        self._soon.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".modal-dialog"))

    def send_form(self) -> None:
        """Send the form that is open, as it is."""
        self.form.find_element(By.CSS_SELECTOR, ".modal-actions button[type=submit]").click()

    def point_elsewhere(self) -> None:
        """Take pointer and focus off the messages: the one that has them shows a menu of its own."""
        self.driver.execute_script("document.activeElement.blur();")
        composer = self.driver.find_element(By.ID, "channel-composer-input")
        ActionChains(self.driver).move_to_element(composer).perform()

    def as_wide_as(self, width: int, height: int) -> None:
        """Like the screen of a phone: a browser's own window cannot be as narrow."""
        device = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < height}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", device)

    def show_only_the_last(self, messages: int) -> WebElement:
        """The conversation without what came before, once its pictures are drawn."""
        self.driver.execute_script(
            "const all = [...document.querySelectorAll('#channel-message-list > *')];"
            "all.slice(0, -arguments[0]).forEach((element) => { element.style.display = 'none'; });",
            messages,
        )
        self._soon.until(
            lambda driver: driver.execute_script(
                "const images = [...document.querySelectorAll('.attachment-image')];"
                "return images.every((image) => image.complete && image.naturalWidth > 0);"
            )
        )
        return self.driver.find_element(By.ID, "channel-timeline")


@contextmanager
def opened(url: str, *, width: int = 1200, height: int = 1000) -> Iterator[Page]:
    """The page at `url` in a browser of its own."""
    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    # In a container there is neither a user for Chromium's sandbox nor much of /dev/shm.
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    driver = Chrome(options=options, service=ChromeService(DRIVER))
    try:
        driver.get(url)
        yield Page(driver)
    finally:
        driver.quit()
