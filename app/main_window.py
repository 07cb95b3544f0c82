"""The studio's window: puts document, pictures, viewport and panels together."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import actions, diagnostics, menus
from app.asset_commands import AssetCommands
from app.autosave import Autosave
from app.dialogs.command_palette import CommandPalette, Entry
from app.dialogs.diagnostics import DiagnosticsReport
from app.dialogs.help import ShortcutSheet, show_about
from app.dialogs.settings import open_settings
from app.dialogs.variants import VariantsDialog
from app.docks import BOTTOM, LEFT, RIGHT, Docks, Panel
from app.document import Document
from app.drops import WindowDrops
from app.edits import EditCommands
from app.evaluations import Evaluations
from app.exports import Exports
from app.files import FileCommands
from app.generation import Pictures, Variants
from app.held_key import HeldKey
from app.keyboard import Panes
from app.keymaps import KEYMAPS, store_keymap, stored_keymap
from app.layout import restore_layout, store_layout
from app.panels.camera_panel import CameraPanel
from app.panels.fields import commit_typing
from app.panels.generation_panel import DECODERS, GenerationPanel, describe
from app.panels.history_panel import HistoryPanel
from app.panels.inspector import Inspector
from app.panels.message_bar import MessageBar
from app.panels.offer_bar import OfferBar
from app.panels.outliner import Outliner
from app.panels.start_page import StartPage
from app.panels.timeline_panel import TimelinePanel
from app.photo_commands import PhotoCommands
from app.plots import with_plots
from app.recent_files import RecentFiles
from app.timeline import Timeline
from app.title import Title
from app.tool_strip import build_tool_strip
from app.viewport import Viewport
from app.views import Views
from neural_assets_core.decoders import Generation
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import load_preferences
from neural_assets_core.scene import Scene


class MainWindow(QMainWindow):
    """One scene, its picture, and everything to change it with."""

    # What the commands in `app.commands` work on.
    document: Document
    views: Views
    viewport: Viewport
    pictures: Pictures
    files: FileCommands
    exports: Exports
    evaluations: Evaluations
    photo: PhotoCommands
    edits: EditCommands
    outliner: Outliner
    history: HistoryPanel
    timeline: Timeline
    docks: Docks
    drops: WindowDrops
    assets: AssetCommands
    panes: Panes
    command_palette: CommandPalette
    actions_by_id: dict[str, QAction]

    def __init__(self) -> None:
        super().__init__()
        self.document = Document(self)
        # Before the pictures: with another scene it forgets the last picture, then gets the new.
        self.views = Views(self.document)
        self.viewport = self.views.picture
        self.pictures = Pictures(self.document, self)
        self.recent = RecentFiles(self)
        self.files = FileCommands(self, self.document, self.pictures, self.recent)
        self.exports = Exports(self, self.document, self.pictures)
        self.evaluations = Evaluations(self)
        self.photographs = self.files.photographs
        self.photo = PhotoCommands(self.document, self.views, self.photographs, self)
        self.edits = EditCommands(self.document)
        self.timeline = Timeline(self.document, self.views, self)
        self.actions_by_id = actions.build_actions(self)
        self._held = HeldKey(Qt.Key.Key_O, lambda: self._set_original(self._compared), self)
        self._compared = False
        self._reporter = self._where = ""
        self._build_center()
        self._build_docks()
        self._build_menus()
        self._build_status_bar()
        self._build_keyboard()
        self._connect()
        Title(self, self.document, self.pictures.generator)
        self.autosave = Autosave(self.document, self.files, self.offers, self)
        self.autosave.failed.connect(lambda text: self.report(text, "warning", "autosave"))
        self.autosave.kept.connect(lambda: self.outdate("autosave"))
        self.exports.films.offer_unfinished(self.offers)
        self.drops = WindowDrops(self)
        restore_layout(self)
        self._show_scene(None)
        load_preferences(warn=lambda text: self.report(text, "warning"))

    # -- messages --------------------------------------------------------------------------------

    def report(self, text: str, tier: str = "error", reporter: str = "") -> None:
        """Show a message inline.

        Parameters
        ----------
        text : str
        tier : {"error", "warning", "hint"}
        reporter : str
            Who says it, and will say when it is no longer true; see `outdate`.
        """
        self._reporter = reporter
        self.messages.show_message(text, tier)

    def outdate(self, *reporters: str) -> None:
        """What one of them said last is no longer true: nobody needs to read it now."""
        if self._reporter in reporters:
            self.messages.dismiss()
            self._reporter = ""

    # -- commands --------------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Open a scene file; says so inline if that fails."""
        commit_typing()
        try:
            self.files.open(path)
        except UserError as error:
            self.report(str(error), reporter="open")
        else:
            self.outdate("open")

    def set_automatic(self) -> None:
        """Follow the menu: generate after every edit, or on request only."""
        self.pictures.automatic = self.actions_by_id["automatic"].isChecked()
        if self.pictures.automatic:
            self.pictures.generate()

    def show_boxes(self) -> None:
        """Follow the menu: draw boxes or not."""
        self.viewport.set_show_boxes(self.actions_by_id["boxes"].isChecked())

    def show_original(self) -> None:
        """Follow the menu: the original photo or the edited picture."""
        self.viewport.set_show_original(self.actions_by_id["original"].isChecked())

    def hold_original(self) -> None:
        """Show the original photo until the key is let go."""
        self._compared = self.actions_by_id["original"].isChecked()
        self._set_original(True)
        self._held.press()

    def _set_original(self, on: bool) -> None:
        self.actions_by_id["original"].setChecked(on)
        self.show_original()

    def show_orbit(self) -> None:
        """Follow the menu: the orbit view beside the picture, or not."""
        self.views.set_beside(self.actions_by_id["orbit"].isChecked())
        actions.refresh(self)

    def show_alone(self) -> None:
        """Follow the menu: only the view in use, or all of them."""
        self.views.set_alone(self.actions_by_id["alone"].isChecked())

    def look_from(self, side: str) -> None:
        """Look at the scene in the orbit view from a side."""
        self.views.orbit.look_from(side)

    def rename(self) -> None:
        """Let a new name be typed in the list of objects, wherever that is."""
        self.docks.show("Objects")
        self.outliner.edit_name()

    def toggle_docks(self) -> None:
        """Hide all panels, or bring them back."""
        self.docks.set_away(self.actions_by_id["docks"].isChecked())

    def set_keymap(self, name: str) -> None:
        """Use the keys of another program, now and in later sessions."""
        store_keymap(name)
        chosen = self.actions_by_id[f"keymap_{name}"]
        chosen.setChecked(True)
        actions.set_keys(self.actions_by_id, KEYMAPS[name])
        self._sheet.show_keymap(menus.plain(chosen.text()))

    def show_shortcuts(self) -> None:
        """Open the shortcut sheet, beside the work."""
        self._sheet.show()
        self._sheet.raise_()
        self._sheet.activateWindow()
        self._sheet.field.setFocus()

    def show_variants(self) -> None:
        """Make other pictures of the scene and show them beside the work."""
        self.variants.show()
        self.variants.raise_()
        self.variants.activateWindow()
        self.variants.start()

    def show_diagnostics(self) -> None:
        """Open the diagnostics report, without the names of the user's files."""
        paths = [*self.recent.paths(), *filter(None, [self.document.path])]
        names = [name for path in paths for name in (str(path), path.name, path.stem)]
        text = diagnostics.report(self.document.scene, self._where, names)
        dialog = DiagnosticsReport(text, self)
        dialog.failed.connect(self.report)
        dialog.show()

    def show_settings(self) -> None:
        """Open the settings of this machine."""
        open_settings(self, self.report)

    def show_difference(self) -> None:
        """Open the view of what the picture changed."""
        def show() -> None:
            from app.dialogs.difference import show_difference
            show_difference(self.pictures, self)

        with_plots(self, show)

    def show_about(self) -> None:
        """Open the about box."""
        show_about(self)

    # -- construction ----------------------------------------------------------------------------

    def _build_center(self) -> None:
        self.start_page = StartPage(self.recent)
        self.tool_strip = build_tool_strip(self.actions_by_id)
        self.workspace = QWidget()
        column = QVBoxLayout(self.workspace)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tool_strip)
        column.addWidget(self.views, 1)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.workspace)
        self.stack.addWidget(self.start_page)
        self.setCentralWidget(self.stack)
        self.messages = MessageBar(self.stack)
        self.offers = OfferBar(self.stack)

    def _build_docks(self) -> None:
        listed = [self.actions_by_id[id_] for id_ in ("duplicate", "rename", "delete")]
        self.outliner = Outliner(self.document, listed)
        self.inspector = Inspector(self.document)
        self.camera = CameraPanel(self.document, self.actions_by_id["reset_camera"])
        self.generation = GenerationPanel(self.document, self.pictures, self.actions_by_id)
        results = [self.actions_by_id[id_] for id_ in menus.RESULTS]
        self.history = HistoryPanel(self.document, self.pictures.history, results)
        kept = [self.actions_by_id[id_] for id_ in menus.LIBRARY]
        generator = self.pictures.generator
        self.assets = AssetCommands(self.document, self.viewport, generator, kept, self)
        frames = TimelinePanel(self.document, self.timeline, self.actions_by_id)
        self.docks = Docks(
            self,
            [
                Panel("Objects", self.outliner, LEFT),
                Panel("Calibration", self.photo.panel, LEFT, shown=False),
                Panel("Inspector", self.inspector, RIGHT),
                Panel("Camera", self.camera, RIGHT, shown=False),
                Panel("Generation", self.generation, RIGHT),
                Panel("History", self.history, BOTTOM, shown=False),
                Panel("Library", self.assets.panel, BOTTOM, shown=False),
                Panel("Timeline", frames, BOTTOM, shown=False),
            ],
        )
        # The numbers at the right need their height; what is below needs not all of the width.
        self.setCorner(Qt.Corner.BottomRightCorner, RIGHT)
        # Too wide to stand beside each other; and too high for a small screen one below another.
        self.tabifyDockWidget(self.docks[-3], self.docks[-2])
        self.tabifyDockWidget(self.docks[-2], self.docks[-1])
        self.tabifyDockWidget(self.docks[2], self.docks[3])
        self.resizeDocks([self.docks[0], self.docks[2]], [208, 264], Qt.Orientation.Horizontal)

    def _build_menus(self) -> None:
        self._recent_menu = QMenu("Open &recent", self)
        self._recent_menu.setToolTipsVisible(True)
        panels = QMenu("&Panels", self)
        panels.addActions([dock.toggleViewAction() for dock in self.docks])
        submenus = {menus.RECENT: self._recent_menu, menus.PANELS: panels}
        menus.build_menus(self.menuBar(), self.actions_by_id, submenus)
        self._fill_recent_menu()

    def _build_status_bar(self) -> None:
        self._hint, self._progress, self._device = QLabel(), QLabel(), QLabel()
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.addWidget(self._hint, 1)
        bar.addPermanentWidget(self._progress)
        bar.addPermanentWidget(self._device)

    def _build_keyboard(self) -> None:
        self.views.orbit.native.setAccessibleName("Orbit view")
        self.views.orbit.native.setAccessibleDescription(
            "The same boxes from any side. The keys on the number pad choose the side."
        )
        self.viewport.native.setAccessibleName("Picture")
        self.viewport.native.setAccessibleDescription(
            "The picture with the boxes of its objects. The list of objects selects them, "
            "arrow keys move the selection, the Menu key tells what else can be done with it."
        )
        others = (self.tool_strip, self.start_page, self.messages, *self.docks)
        self.panes = Panes(self, (self.views.picture, self.views.orbit), others)
        self.command_palette = CommandPalette(self.stack, self._palette_entries)
        self.command_palette.chosen.connect(lambda id_: self.actions_by_id[id_].trigger())
        self._sheet = ShortcutSheet(self.actions_by_id, self)
        self.variants = VariantsDialog(Variants(self.document, self.pictures.generator, self), self)
        self.set_keymap(stored_keymap())

    def _palette_entries(self) -> list[Entry]:
        return [
            Entry(
                command.id,
                menus.plain(self.actions_by_id[command.id].text()),
                " › ".join(path),
                actions.key_text(self.actions_by_id[command.id]),
                command.obstacle(self),
                command.tip,
            )
            for command, path in menus.in_menus()
        ]

    def _connect(self) -> None:
        document, generator = self.document, self.pictures.generator
        document.scene_changed.connect(self._show_scene)
        for signal in (
            document.scene_changed,
            document.selection_changed,
            document.workspace_changed,
            document.undo_stack.indexChanged,
            generator.busy_changed,
            self.history.changed,
            self.assets.changed,
            self.photo.changed,
        ):
            signal.connect(self._refresh_actions)
        self.pictures.picture_changed.connect(self.viewport.show_picture)
        generator.finished.connect(self._on_finished)
        generator.finished.connect(self._refresh_actions)
        generator.failed.connect(lambda _, text: self.report(text, "error", "generator"))
        generator.cancelled.connect(self._on_cancelled)
        # Before anything that says how it ended.
        generator.busy_changed.connect(lambda _: self._progress.clear())
        generator.progress.connect(lambda step: self._progress.setText(describe(step)))
        generator.device_changed.connect(self._on_device)
        self.pictures.history.failed.connect(lambda text: self.report(text, "warning"))
        self.pictures.history.wanted.connect(self.exports.export_picture)
        self.exports.failed.connect(lambda text: self.report(text, reporter="export"))
        self.exports.written.connect(lambda: self.outdate("export"))
        self.evaluations.failed.connect(lambda text: self.report(text, reporter="evaluation"))
        self.timeline.player.failed.connect(self.report)
        self.assets.failed.connect(self.report)
        self.photo.said.connect(lambda text, tier: self.report(text, tier, "photo"))
        self.photo.settled.connect(lambda: self.outdate("photo"))
        for signal in (document.selection_changed, document.workspace_changed):
            signal.connect(lambda *_: self.outdate("locked"))
        document.fitting_changed.connect(self.actions_by_id["fit_boxes"].setChecked)
        preview = self.pictures.preview
        preview.failed.connect(lambda _, text: self.report(text, "warning", "preview"))
        preview.finished.connect(lambda _: self.outdate("preview"))
        self.views.status_changed.connect(self._hint.setText)
        self.views.hovered_changed.connect(self.pictures.expect)
        self.views.menu_requested.connect(self._open_menu)
        self.views.tools.tool_changed.connect(
            lambda tool: self.actions_by_id[f"tool_{tool}"].setChecked(True)
        )
        self.start_page.open_requested.connect(self.open)
        self.start_page.browse_requested.connect(self.actions_by_id["open"].trigger)
        self.start_page.photograph_requested.connect(self.actions_by_id["photo_open"].trigger)
        for panel in (self.outliner, self.inspector):
            panel.refused.connect(lambda text: self.report(text, "warning", "refusal"))
        document.modified_changed.connect(self._on_modified)
        self.recent.changed.connect(self._fill_recent_menu)

    # -- showing ---------------------------------------------------------------------------------

    def _show_scene(self, scene: Scene | None) -> None:
        page = self.start_page if scene is None else self.workspace
        if self.stack.currentWidget() is not page:
            self.stack.setCurrentWidget(page)
            (self.start_page if scene is None else self.viewport).setFocus()
        self.outdate("generator", "preview", "refusal", "locked")
        self._progress.clear()
        if scene is None:
            self._hint.clear()
        self._show_device()
        self._refresh_actions()

    def _refresh_actions(self) -> None:
        actions.refresh(self)
        for id_ in ("undo", "redo"):
            stack = self.photo.undo_stack
            text = stack.undoText() if id_ == "undo" else stack.redoText()
            text = text.replace("&", "&&")
            self.actions_by_id[id_].setText(f"&{id_.capitalize()} {text}".rstrip())

    def _open_menu(self, where: QPoint, for_selection: bool) -> None:
        ids = menus.OBJECT_MENU if for_selection else menus.PICTURE_MENU
        menus.context_menu(self, self.actions_by_id, ids).popup(where)

    def _fill_recent_menu(self) -> None:
        self._recent_menu.clear()
        for path in self.recent.paths():
            entry = self._recent_menu.addAction(path.name.replace("&", "&&"))
            entry.setToolTip(str(path))
            entry.triggered.connect(lambda _=False, chosen=path: self.open(chosen))
        self._recent_menu.setEnabled(not self._recent_menu.isEmpty())

    def _on_finished(self, generation: Generation) -> None:
        self.outdate("generator", "preview")
        # What took no time needs none told.
        brief = generation.seconds < 0.05
        self._progress.setText("Done" if brief else f"Done in {generation.seconds:.1f} s")
        if generation.notes:
            self.report(" ".join(generation.notes), "hint", "generator")

    def _on_modified(self, modified: bool) -> None:
        if not modified:
            self.outdate("save", "save_as", "autosave")

    def _on_cancelled(self, scene: Scene) -> None:
        # A gesture or another scene that stopped it is no news to the user.
        wanted = self.document.draft is None and scene == self.document.scene
        self._progress.setText("Cancelled" if wanted else "")

    def _on_device(self, device: str) -> None:
        self._where = device
        self._show_device()

    def _show_device(self) -> None:
        scene = self.document.scene
        if scene is None:
            self._device.clear()
            return
        decoder = scene.settings.decoder
        name = DECODERS[decoder].split(" ")[0]
        loaded = decoder in ("neural", "inpainting") and self._where
        self._device.setText(f"{name} on {self._where.upper()}" if loaded else name)

    # -- events ----------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            actions.refresh_icons(self.actions_by_id)

    def closeEvent(self, event: QCloseEvent) -> None:
        commit_typing()
        try:
            may_close = self.exports.may_close() and self.files.may_close()
        except UserError as error:
            # Saving failed: stay, nothing is lost.
            self.report(str(error))
            may_close = False
        if not may_close:
            event.ignore()
            return
        self.views.store_sizes()
        # Hidden for the moment only: the next session starts with all panels.
        if self.actions_by_id["docks"].isChecked():
            self.actions_by_id["docks"].trigger()
        self.photo.shutdown()
        store_layout(self)
        # Gone from the screen at once; the worker may need a moment to come to a stop.
        self.hide()
        self.pictures.shutdown()
        self.exports.shutdown()
        self.evaluations.shutdown(0)
        self.assets.shutdown()
        self.drops.shutdown()
        self.autosave.shutdown()
        event.accept()
