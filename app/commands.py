"""Every command once, with what keeps it from being done now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.viewport.scene_view import WHEEL_STEP

if TYPE_CHECKING:
    from app.main_window import MainWindow


@dataclass(frozen=True)
class Command:
    """Something the user can do; its keys are in `app.keymaps`.

    Attributes
    ----------
    id : str
    text : str
        For the menu; "&" marks the mnemonic.
    run : callable
        Gets the window; a `UserError` it raises is shown inline. Checkable commands look at
        their action to see which way.
    icon : str
    obstacle : callable
        What keeps it from being done now, as advice to the user; empty if nothing does.
    tip : str
        More than the text says, for the tooltip.
    checkable, checked : bool
    group : str
        Of the commands with the same group, exactly one is checked.
    """

    id: str
    text: str
    run: Callable[[MainWindow], object]
    icon: str = ""
    obstacle: Callable[[MainWindow], str] = lambda window: ""
    tip: str = ""
    checkable: bool = False
    checked: bool = False
    group: str = ""


def _scene(window: MainWindow) -> str:
    return "" if window.document.scene is not None else "Open a scene first"


def _selection(window: MainWindow) -> str:
    return _scene(window) or ("" if window.document.selection else "Select an object first")


def _orbit(window: MainWindow) -> str:
    return _scene(window) or ("" if window.views.beside else "Show the orbit view first")


def _moved_camera(window: MainWindow) -> str:
    scene = window.document.scene
    moved = scene is not None and scene.camera != scene.background.view.camera
    return _scene(window) or ("" if moved else "The camera is where it was")


def _hidden(window: MainWindow) -> str:
    return _scene(window) or ("" if window.document.hidden else "No object is hidden")


def _locked(window: MainWindow) -> str:
    return _scene(window) or ("" if window.document.locked else "No object is locked")


def _undo(window: MainWindow) -> str:
    return "" if window.photo.undo_stack.canUndo() else "There is nothing to undo"


def _redo(window: MainWindow) -> str:
    return "" if window.photo.undo_stack.canRedo() else "There is nothing to redo"


def _picture(window: MainWindow) -> str:
    ready = window.pictures.result() is not None
    return _scene(window) or ("" if ready else "Generate the picture first")


def _busy(window: MainWindow) -> str:
    return "" if window.pictures.generator.busy else "No picture is being generated"


def _seed(window: MainWindow) -> str:
    scene = window.document.scene
    seeded = scene is not None and scene.settings.decoder in ("neural", "inpainting")
    return _scene(window) or ("" if seeded else "The proxy has no seed")


def _result(window: MainWindow) -> str:
    one = len(window.history.sound()) == 1
    return _scene(window) or ("" if one else "Select one result in the history first")


def _two_results(window: MainWindow) -> str:
    two = len(window.history.sound()) == 2
    return _scene(window) or ("" if two else "Select two results in the history first")


def _results(window: MainWindow) -> str:
    some = bool(window.history.chosen())
    return _scene(window) or ("" if some else "Select a result in the history first")


def _deleted(window: MainWindow) -> str:
    return "" if window.history.can_undelete else "No result was deleted since the last one made"


def _brushing(window: MainWindow) -> str:
    return window.photo.mask.obstacle_to_brushing()


def _asset(window: MainWindow) -> str:
    return _scene(window) or window.assets.obstacle_to_inserting()


COMMANDS = (
    Command("open", "&Open …", lambda w: w.files.browse(), "open"),
    Command("photo_open", "&New from photograph …", lambda w: w.files.photographs.browse(),
            tip="Make a scene of your own picture, or of an fSpy project"),
    Command("photo_paste", "New from cli&pboard", lambda w: w.files.photographs.paste(),
            tip="Make a scene of the picture on the clipboard"),
    Command("save", "&Save", lambda w: w.files.save(), "save", _scene),
    Command("save_as", "Save &as …", lambda w: w.files.save_as(), "", _scene),
    Command("export", "&Export picture …", lambda w: w.exports.export(), "export", _picture,
            "The finished picture, objects alone, masks, depth, boxes or layers, as files"),
    Command("turntable", "Export &turntable …", lambda w: w.exports.export_turntable(), "",
            _scene, "A film of an object that turns, or of the camera that swings"),
    Command("import_mesh", "Import mes&hes …", lambda w: w.drops.import_meshes(), "", _scene,
            "Boxes of their size, drawn as clay until assets replace them: OBJ, GLB, PLY, STL"),
    Command("film", "Export ani&mation …", lambda w: w.exports.export_film(), "",
            lambda w: w.timeline.obstacle_to_playing(), "A film of the scene's keyframes"),
    Command("close", "&Close", lambda w: w.files.close(), "", _scene),
    Command("quit", "&Quit", lambda w: w.close()),
    Command("undo", "&Undo", lambda w: w.photo.undo_stack.undo(), "undo", _undo),
    Command("redo", "&Redo", lambda w: w.photo.undo_stack.redo(), "redo", _redo),
    Command("duplicate", "&Duplicate", lambda w: w.edits.duplicate(), "duplicate", _selection),
    Command("duplicate_move", "Duplicate and mo&ve",
            lambda w: w.views.current.duplicate_and_move(), "", _selection,
            "Duplicate the selection; the copies follow the pointer"),
    Command("delete", "De&lete", lambda w: w.edits.delete(), "delete", _selection),
    Command("rename", "Re&name", lambda w: w.rename(), "rename", _selection),
    Command("copy", "&Copy objects", lambda w: w.edits.copy(), "", _selection),
    Command("paste", "&Paste objects",
            lambda w: (w.edits if w.document.scene else w.files.photographs).paste(),
            tip="The copied objects; while no scene is open, the picture on the clipboard"),
    Command("isolate", "Is&olate", lambda w: w.edits.isolate(), "", _selection,
            tip="Leave nothing but the selected objects, before an even grey"),
    Command("select_all", "Select &all", lambda w: w.edits.select_all(), "", _scene),
    Command("select_none", "Select &none", lambda w: w.document.select(()), "", _selection),
    Command("select_next", "Select n&ext", lambda w: w.edits.select_next(), "", _scene),
    Command("select_previous", "Select &previous", lambda w: w.edits.select_previous(), "",
            _scene),
    Command("hide", "&Hide", lambda w: w.edits.hide(), "", _selection,
            "Hide the boxes of the selected objects"),
    Command("show_all", "Sho&w all", lambda w: w.edits.show_all(), "", _hidden,
            "Show all hidden objects again"),
    Command("lock", "Loc&k", lambda w: w.edits.lock(), "", _selection,
            "Keep the selected objects from being changed"),
    Command("unlock_all", "&Unlock all", lambda w: w.edits.unlock_all(), "", _locked),
    Command("drop", "D&rop to ground", lambda w: w.edits.drop_to_ground(), "", _selection),
    Command("put_back", "Put &back", lambda w: w.edits.put_back(), "", _selection,
            "Move the selected objects to where the photograph shows them"),
    Command("copy_size", "Copy si&ze", lambda w: w.edits.copy_size(), "", _selection,
            "Give the selected objects the size of the one selected last"),
    Command("cut_out", "&Automatic mask", lambda w: w.photo.cut_out(), "", _selection,
            "Find the outlines of the selected objects in their boxes anew"),
    Command("mask_box", "&Whole box", lambda w: w.photo.mask.whole_box(), "", _selection,
            "Take all that its box covers for the object"),
    Command("mask_larger", "&Larger brush", lambda w: w.photo.mask.larger(), "", _brushing,
            "With the Mask tool: ] or Ctrl+wheel"),
    Command("mask_smaller", "&Smaller brush", lambda w: w.photo.mask.smaller(), "", _brushing,
            "With the Mask tool: [ or Ctrl+wheel"),
    Command("mask_swap", "Swap brush &buttons", lambda w: w.photo.mask.swap(), "", _brushing,
            "With the Mask tool, X: the left button paints what is not the object"),
    Command("fit_boxes", "&Fit boxes to the photograph", lambda w: w.photo.set_fitting(),
            "fit_box", _scene, "Adjust source boxes: the picture stays while boxes are edited",
            checkable=True),
    Command("calibrate", "&Calibrate camera …", lambda w: w.photo.calibrate(), "", _scene,
            "Find the photograph's camera, so that boxes stand on its ground"),
    Command("estimate", "Estimate with &models …", lambda w: w.photo.estimates.open(), "", _scene,
            "Masks, shapes and further objects, told by models of your own"),
    Command("asset_add", "Add to librar&y", lambda w: w.assets.add(), "", _selection,
            "Keep the selected objects, to be placed in any scene"),
    Command("asset_add_background", "Ad&d background to library",
            lambda w: w.assets.add_background(), "", _scene,
            "Keep the background, to be put behind any scene"),
    Command("library_insert", "Inse&rt asset", lambda w: w.assets.insert(), "", _asset,
            "Put the selected assets into the scene, at the middle of the ground"),
    Command("library_replace", "Replace &selected object", lambda w: w.assets.replace(), "",
            lambda w: _scene(w) or w.assets.obstacle_to_replacing()),
    Command("library_rename", "Re&name asset", lambda w: w.assets.rename(), "",
            lambda w: w.assets.obstacle_to_renaming()),
    Command("library_tag", "Edit &tags", lambda w: w.assets.edit_tags(), "",
            lambda w: w.assets.obstacle_to_changing()),
    Command("library_move", "File in folder …", lambda w: w.assets.move(), "",
            lambda w: w.assets.obstacle_to_changing()),
    Command("library_export", "E&xport assets …", lambda w: w.assets.export(), "",
            lambda w: w.assets.obstacle_to_exporting(),
            "Copy the selected assets' files into a folder, for other people and machines"),
    Command("library_delete", "&Delete asset", lambda w: w.assets.delete(), "",
            lambda w: w.assets.obstacle_to_changing()),
    Command("library_undo", "&Undo in the library", lambda w: w.assets.undo(), "",
            lambda w: w.assets.obstacle_to_undoing(), "Take back the last change of the library"),
    Command("library_empty_trash", "Empt&y library trash …", lambda w: w.assets.empty_trash(),
            tip="Remove what was deleted from the library for good"),
    Command("folder_make", "New &folder", lambda w: w.assets.make_folder()),
    Command("folder_rename", "R&ename folder", lambda w: w.assets.rename_folder(), "",
            lambda w: w.assets.obstacle_to_changing_folder()),
    Command("folder_delete", "Delete f&older", lambda w: w.assets.delete_folder(), "",
            lambda w: w.assets.obstacle_to_changing_folder()),
    Command("background_swap", "Swap &the background …", lambda w: w.assets.swap_background(), "",
            _scene, "Put the background of another scene, or one of the library, behind this one"),
    Command("library", "Asset &library", lambda w: w.assets.toggle(),
            tip="Show or hide the assets that were kept, and those that ship"),
    Command("reset_camera", "R&eset the camera", lambda w: w.edits.reset_camera(), "",
            _moved_camera, "Back to where the photograph was taken from"),
    Command("timeline", "&Timeline", lambda w: w.docks.toggle("Timeline"),
            tip="Show or hide the keyframes over time"),
    Command("play", "&Play or stop", lambda w: w.timeline.player.toggle(), "play",
            lambda w: w.timeline.obstacle_to_playing(), "Play the animation with its boxes"),
    Command("key_insert", "&Insert keyframe", lambda w: w.timeline.insert(), "key", _selection,
            "Keep how the selected objects stand at this moment"),
    Command("key_camera", "Insert keyframe of the &camera", lambda w: w.timeline.insert_camera(),
            "key_camera", _scene),
    Command("key_previous", "P&revious keyframe", lambda w: w.timeline.go_to_key(-1),
            "key_previous", lambda w: w.timeline.obstacle_to_playing()),
    Command("key_next", "&Next keyframe", lambda w: w.timeline.go_to_key(1),
            "key_next", lambda w: w.timeline.obstacle_to_playing()),
    Command("auto_key", "&Automatic keyframes", lambda w: w.timeline.toggle_keying(),
            "auto_key", tip="Edits of what has keyframes are keyframes at the moment shown",
            checkable=True, checked=True),
    Command("pivot_active", "&Last selected", lambda w: w.views.tools.set_pivot("active"),
            tip="Turn and scale about the object selected last", checked=True, group="pivot"),
    Command("pivot_common", "&Common middle", lambda w: w.views.tools.set_pivot("common"),
            tip="Turn and scale about the middle of the selection", group="pivot"),
    Command("pivot_each", "&Each its own", lambda w: w.views.tools.set_pivot("each"),
            tip="Turn and scale every object about its own base", group="pivot"),
    Command("axes_ground", "&Heading axes", lambda w: w.views.tools.set_axes("ground"),
            tip="Handles along the object's heading, level", checked=True, group="axes"),
    Command("axes_world", "&World axes", lambda w: w.views.tools.set_axes("world"),
            tip="Handles along the world's axes", group="axes"),
    Command("axes_local", "L&ocal axes", lambda w: w.views.tools.set_axes("local"),
            tip="Handles along the object's own axes", group="axes"),
    Command("move_now", "&Move", lambda w: w.views.current.start_gesture("move"), "", _selection,
            "Move the selection with the pointer; X, Y or Z for one axis"),
    Command("turn_now", "&Turn", lambda w: w.views.current.start_gesture("turn"), "", _selection,
            "Turn the selection with the pointer"),
    Command("scale_now", "Scal&e", lambda w: w.views.current.start_gesture("scale"), "", _selection,
            "Scale the selection with the pointer"),
    Command("tool_select", "&Select tool", lambda w: w.views.tools.set_tool("select"), "select",
            tip="Select: click a box; all handles", checked=True, group="tool"),
    Command("tool_move", "&Move tool", lambda w: w.views.tools.set_tool("move"), "move",
            tip="Move: arrows, and dragging along the ground", group="tool"),
    Command("tool_turn", "&Turn tool", lambda w: w.views.tools.set_tool("turn"), "turn",
            tip="Turn: the ring", group="tool"),
    Command("tool_scale", "S&cale tool", lambda w: w.views.tools.set_tool("scale"), "scale",
            tip="Scale: corners", group="tool"),
    Command("tool_box", "&Box tool", lambda w: w.views.tools.set_tool("box"), "pull",
            tip="Box: corners, and pulling faces", group="tool"),
    Command("tool_draw", "&Draw box", lambda w: w.views.tools.set_tool("draw"), "draw_box",
            lambda w: w.photo.obstacle_to_drawing(), group="tool",
            tip="Draw a box over an object of the photograph: four clicks, or a rectangle"),
    Command("tool_mask", "&Paint mask", lambda w: w.views.tools.set_tool("mask"), "mask",
            lambda w: w.photo.mask.obstacle(), group="tool",
            tip="Mask: paint which pixels of the photograph are the selected object"),
    Command("generate", "&Generate", lambda w: w.pictures.generate(), "generate", _scene,
            "Make the picture now, and keep it in the history"),
    Command("cancel", "&Cancel", lambda w: w.pictures.generator.cancel(), "cancel", _busy,
            "Stop the picture being generated"),
    Command("new_seed", "&New seed", lambda w: w.edits.new_seed(), "dice", _seed,
            "Another random seed: another picture of the same scene"),
    Command("variants", "&Variants …", lambda w: w.show_variants(), "", _seed,
            "Four pictures with other seeds side by side, to choose one of"),
    Command("automatic", "Generate after every &edit", lambda w: w.set_automatic(),
            tip="Make the picture as soon as a box is let go", checkable=True, checked=True),
    Command("result_restore", "&Restore result", lambda w: w.history.restore(), "", _result,
            "Go back to the scene and the settings that it was made from"),
    Command("result_compare", "&Compare results …", lambda w: w.history.compare(), "",
            _two_results, "Two results in one place, with a divider between them"),
    Command("result_star", "&Star result", lambda w: w.history.star(), "", _results,
            "Starred results are never removed to make room; once more takes the star away"),
    Command("result_name", "Re&name result", lambda w: w.history.edit_name(), "", _result),
    Command("result_export", "&Export result …", lambda w: w.history.export(), "", _result,
            "The selected result, its objects alone, masks or layers, as files"),
    Command("result_delete", "&Delete result", lambda w: w.history.delete(), "", _results),
    Command("result_undelete", "&Bring back deleted result", lambda w: w.history.undelete(), "",
            _deleted, "Undo the last deletion from the history"),
    Command("frame", "&Frame selection", lambda w: w.views.current.frame_selection(), "",
            _selection, "Zoom to the selected objects"),
    Command("fit", "F&it", lambda w: w.views.current.fit(), "fit", _scene,
            "Show the whole picture, or the whole scene in the orbit view"),
    Command("actual", "Actual pi&xels, 1:1", lambda w: w.viewport.zoom_to_actual(), "actual",
            _scene),
    Command("zoom_in", "&Zoom in", lambda w: w.views.current.zoom(WHEEL_STEP), "", _scene),
    Command("zoom_out", "Zoom ou&t", lambda w: w.views.current.zoom(1.0 / WHEEL_STEP), "", _scene),
    Command("orbit", "Orbit &view", lambda w: w.show_orbit(), "orbit", _scene,
            "The scene from any side, beside the picture; the same handles work there",
            checkable=True),
    Command("alone", "Only the view in &use", lambda w: w.show_alone(), "", _scene,
            "Give all the room to the picture, or to the orbit view", checkable=True),
    Command("look_front", "From the &front", lambda w: w.look_from("front"), "", _orbit),
    Command("look_right", "From the &right", lambda w: w.look_from("right"), "", _orbit),
    Command("look_top", "From the &top", lambda w: w.look_from("top"), "", _orbit),
    Command("look_camera", "As the &picture does", lambda w: w.look_from("camera"), "", _orbit),
    Command("boxes", "Show &boxes", lambda w: w.show_boxes(), "boxes", _scene,
            "Show boxes and handles", checkable=True, checked=True),
    Command("original", "Show &original", lambda w: w.show_original(), "compare", _scene,
            "Compare with the original photo; or hold O", checkable=True),
    Command("guessed", "&Show what is guessed",
            lambda w: w.photo.guessed.set_shown(w.actions_by_id["guessed"].isChecked()), "", _scene,
            "Tint holes and hidden sides: what the photograph never showed", checkable=True),
    Command("hold_original", "Show original while held", lambda w: w.hold_original(), "", _scene),
    Command("docks", "&Hide panels", lambda w: w.toggle_docks(),
            tip="Nothing but the picture", checkable=True),
    Command("next_pane", "&Next part of the window", lambda w: w.panes.go(1),
            tip="Take the keys to the next panel, or to the picture"),
    Command("previous_pane", "P&revious part of the window", lambda w: w.panes.go(-1),
            tip="Take the keys to the panel before, or to the picture"),
    Command("keymap_blender", "&Blender", lambda w: w.set_keymap("blender"), group="keymap",
            tip="Keys as in Blender: G, R, S"),
    Command("keymap_maya", "&Maya and Unity", lambda w: w.set_keymap("maya"), group="keymap",
            tip="Keys as in Maya and Unity: Q, W, E, R"),
    Command("difference", "&Difference …", lambda w: w.show_difference(), "", _picture,
            "Where the picture differs from the original, and by how much"),
    Command("evaluation", "&Evaluation report …", lambda w: w.evaluations.browse(),
            tip="Curves, means and cases of a file that neural-assets evaluate has written"),
    Command("settings", "Settin&gs …", lambda w: w.show_settings(),
            tip="Device, precision, preview and memory on this machine"),
    Command("palette", "&Find a command …", lambda w: w.command_palette.open()),
    Command("shortcuts", "&Keyboard shortcuts", lambda w: w.show_shortcuts()),
    Command("diagnostics", "&Diagnostics report …", lambda w: w.show_diagnostics(),
            tip="What to send when something goes wrong: versions, settings, the end of the log"),
    Command("about", "&About", lambda w: w.show_about()),
)
BY_ID = {command.id: command for command in COMMANDS}
