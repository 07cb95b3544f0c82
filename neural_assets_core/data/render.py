"""Offscreen rendering of planned clips with MuJoCo: colour with shadows, and instance masks.

One model is compiled per clip; its objects are mocap bodies, so that a frame costs a pose
update and two draw calls (no dynamics). Cameras are set on the drawing scene directly, which
keeps them exactly equal to the annotated ones.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Headless by default; must be decided before the library is imported.
os.environ.setdefault("MUJOCO_GL", "egl")

import cv2
import mujoco as mj
import numpy as np
from numpy.typing import NDArray

from neural_assets_core.data.families import MadeObject, Material, Part
from neural_assets_core.data.families.parts import box
from neural_assets_core.data.lighting import Light
from neural_assets_core.data.made_scenes import ClipPlan
from neural_assets_core.data.surroundings import FLOOR_DEPTH, Surface, Surroundings, Wall
from neural_assets_core.geometry import Camera

Image = NDArray[np.uint8]
NEAR, FAR = 0.04, 60.0
SHADOW_REACH = 1.5
"""Half side of the square around the origin that the shadow map covers, metres."""


@dataclass(frozen=True)
class Quality:
    """`samples` per pixel (MSAA), `shadow_map` pixels per side, `supersample` per axis."""

    samples: int = 4
    shadow_map: int = 2048
    supersample: int = 1


FAST = Quality()
FINE = Quality(samples=4, shadow_map=4096, supersample=2)


@functools.cache
def _gl() -> Any:
    """This process's one OpenGL context; creating it is slow, sharing it is safe here."""
    context = mj.GLContext(64, 64)
    context.make_current()
    return context


class ClipRenderer:
    """Renders the frames of one clip. Create with `open_renderer`."""

    def __init__(self, plan: ClipPlan, size: int, quality: Quality = FAST) -> None:
        self.plan = plan
        self.size = size
        self.quality = quality
        spec = _build(plan, size * quality.supersample, quality)
        self._model = spec.compile()
        self._data = mj.MjData(self._model)
        _gl()
        self._context = mj.MjrContext(self._model, mj.mjtFontScale.mjFONTSCALE_100)
        mj.mjr_setBuffer(mj.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mj.MjvScene(self._model, maxgeom=1000)
        self._option, self._camera = mj.MjvOption(), mj.MjvCamera()
        # Pixel value of each geom in the mask: the object's number, 0 for everything else.
        self._object_of_geom = np.zeros(self._model.ngeom, dtype=np.uint8)
        for geom in range(self._model.ngeom):
            body = self._model.body(int(self._model.geom_bodyid[geom])).name
            if body.startswith("object"):
                self._object_of_geom[geom] = int(body[6:]) + 1

    def close(self) -> None:
        self._context.free()

    def frame(self, index: int) -> tuple[Image, Image]:
        """Render one frame.

        Returns
        -------
        image : array (size, size, 3), uint8
        mask : array (size, size), uint8
            Object number (first object = 1), 0 = background.
        """
        self._data.mocap_pos[:] = self.plan.positions[index]
        self._data.mocap_quat[:] = self.plan.rotations[index]
        mj.mj_kinematics(self._model, self._data)
        mj.mj_camlight(self._model, self._data)
        scene = self._scene
        mj.mjv_updateScene(
            self._model, self._data, self._option, None, self._camera, mj.mjtCatBit.mjCAT_ALL, scene
        )
        _aim(scene, self.plan.cameras[index])
        for drawn in scene.geoms[: scene.ngeom]:
            # Decoration receives shadows and casts none: walls must not speckle themselves.
            if drawn.objtype == mj.mjtObj.mjOBJ_GEOM and not self._object_of_geom[drawn.objid]:
                drawn.category = mj.mjtCatBit.mjCAT_DECOR
        flags = scene.flags
        flags[mj.mjtRndFlag.mjRND_SHADOW] = 1
        flags[mj.mjtRndFlag.mjRND_SKYBOX] = 1
        flags[mj.mjtRndFlag.mjRND_REFLECTION] = 0
        flags[mj.mjtRndFlag.mjRND_SEGMENT] = flags[mj.mjtRndFlag.mjRND_IDCOLOR] = 0
        image = self._draw(self.size * self.quality.supersample)
        if self.quality.supersample > 1:
            image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        flags[mj.mjtRndFlag.mjRND_SHADOW] = 0
        flags[mj.mjtRndFlag.mjRND_SKYBOX] = 0
        flags[mj.mjtRndFlag.mjRND_SEGMENT] = flags[mj.mjtRndFlag.mjRND_IDCOLOR] = 1
        codes = self._draw(self.size).astype(np.int32)
        codes = codes[..., 0] | codes[..., 1] << 8 | codes[..., 2] << 16
        table = np.zeros(scene.ngeom + 1, dtype=np.uint8)
        for drawn in scene.geoms[: scene.ngeom]:
            if drawn.objtype == mj.mjtObj.mjOBJ_GEOM and 0 <= drawn.segid < scene.ngeom:
                table[drawn.segid + 1] = self._object_of_geom[drawn.objid]
        return image, table[np.where(codes <= scene.ngeom, codes, 0)]

    def _draw(self, size: int) -> Image:
        view = mj.MjrRect(0, 0, size, size)
        mj.mjr_render(view, self._scene, self._context)
        pixels = np.empty((size, size, 3), dtype=np.uint8)
        mj.mjr_readPixels(pixels, None, view, self._context)
        return np.ascontiguousarray(pixels[::-1])


@contextmanager
def open_renderer(plan: ClipPlan, size: int, quality: Quality = FAST) -> Iterator[ClipRenderer]:
    """A `ClipRenderer` whose GPU memory is released at the end of the block."""
    renderer = ClipRenderer(plan, size, quality)
    try:
        yield renderer
    finally:
        renderer.close()


def _aim(scene: Any, camera: Camera) -> None:
    """Give both eyes of the drawing scene the annotated camera's exact pose and frustum."""
    k, pose = camera.k, camera.extrinsics
    # The library looks along its camera's -z with y up; ours is z forward, y down.
    for eye in scene.camera:
        eye.pos[:] = camera.position
        eye.forward[:] = pose[2, :3]
        eye.up[:] = -pose[1, :3]
        eye.orthographic = 0
        eye.frustum_near, eye.frustum_far = NEAR, FAR
        eye.frustum_center = NEAR * (0.5 * camera.width - k[0, 2]) / k[0, 0]
        eye.frustum_width = NEAR * 0.5 * camera.width / k[0, 0]
        eye.frustum_top = NEAR * k[1, 2] / k[1, 1]
        eye.frustum_bottom = -NEAR * (camera.height - k[1, 2]) / k[1, 1]


def silhouette_areas(plan: ClipPlan, index: int, size: int) -> NDArray[np.int64]:
    """(N,) pixels that each object would cover at `size` if nothing hid it.

    Parts outside the picture count too, up to half a picture beyond each border. The projected
    convex pieces are filled in software, which is much cheaper than a render pass per object.
    """
    # The outline's share of the error shrinks with finer pixels.
    fine = 2 if size <= 256 else 1
    size *= fine
    camera = plan.cameras[index].resized(size, size)
    areas = np.zeros(len(plan.objects), dtype=np.int64)
    fraction = 4  # sub-pixel bits of the polygon filler
    for number, item in enumerate(plan.objects):
        canvas = np.zeros((2 * size, 2 * size), dtype=np.uint8)
        turn = plan.box(index, number).rotation_matrix()
        vertices = np.concatenate([part.vertices for part in item.parts])
        world = plan.positions[index, number] + vertices @ turn.T
        projected = camera.project(world)[:, :2] + size / 2 - 0.5
        pixels = np.round(projected * 2**fraction)
        start = 0
        for part in item.parts:
            own = pixels[start : start + len(part.vertices)]
            start += len(part.vertices)
            if not np.isfinite(own).all():
                continue
            whole = own.astype(np.int32)
            for piece in part.pieces:
                cv2.fillConvexPoly(canvas, cv2.convexHull(whole[piece]), 1, shift=fraction)
        # The filler also paints every pixel that the outline touches, half of them too many.
        filled = cv2.countNonZero(canvas)
        inner = cv2.countNonZero(cv2.erode(canvas, np.ones((3, 3), dtype=np.uint8)))
        areas[number] = round((filled - 0.5 * (filled - inner)) / fine**2)
    return areas


# -- the model -------------------------------------------------------------------------------------


def _build(plan: ClipPlan, size: int, quality: Quality) -> Any:
    spec = mj.MjSpec()
    around = plan.surroundings
    light = around.lighting
    spec.stat.extent = 1.0
    spec.stat.center = [0, 0, 0]
    visual = spec.visual
    visual.global_.offwidth = visual.global_.offheight = size
    visual.quality.shadowsize = round(quality.shadow_map * light.shadow_map)
    visual.quality.offsamples = quality.samples
    visual.quality.numquads = 12
    visual.map.shadowclip = SHADOW_REACH
    # Only the shadow map uses these planes; a short range gives it depth precision.
    visual.map.znear, visual.map.zfar = 0.5, 12.0
    visual.headlight.ambient = light.ambient
    visual.headlight.diffuse = [0.06] * 3
    visual.headlight.specular = [0.0] * 3
    for source in light.lights:
        _add_light(spec, source, light.highlight)
    height, width = around.sky.shape[:2]
    sky = spec.add_texture(
        name="sky", type=mj.mjtTexture.mjTEXTURE_SKYBOX, width=width, height=height, nchannel=3
    )
    sky.data = around.sky.tobytes()
    _add_ground(spec, around)
    for number, wall in enumerate(around.walls):
        _add_wall(spec, f"wall{number}", wall)
    for number, item in enumerate(plan.objects):
        _add_object(spec, number, item)
    return spec


def _add_light(spec: Any, light: Light, highlight: float) -> None:
    beam = light.position is not None
    kinds = mj.mjtLightType
    spec.worldbody.add_light(
        type=kinds.mjLIGHT_SPOT if beam else kinds.mjLIGHT_DIRECTIONAL,
        pos=light.position if beam else -4.0 * np.asarray(light.direction),
        dir=light.direction,
        diffuse=light.color,
        ambient=[0, 0, 0],
        specular=[highlight] * 3 if light.shadow else [0, 0, 0],
        castshadow=light.shadow,
        cutoff=light.cutoff,
        exponent=4.0,
    )


def _add_ground(spec: Any, around: Surroundings) -> None:
    """An endless plane in z = 0, or a table top there and the plane below."""
    level, below = 0.0, around.ground
    if around.table is not None and around.floor is not None:
        level, below = -FLOOR_DEPTH, around.floor
        _add_surface(spec, "top", around.ground, plane=False)
        half, yaw = around.table, around.table_yaw
        _add_slab(spec, "top", (2 * half, 2 * half, 0.05), 1 / around.ground.tile)
        turn = [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]
        _add_mesh_geom(spec, "top", [0, 0, -0.025], turn)
    _add_surface(spec, "ground", below, plane=True)
    plane = mj.mjtGeom.mjGEOM_PLANE
    _add_geom(spec.worldbody, type=plane, size=[30, 30, 1], pos=[0, 0, level], material="ground")


def _add_wall(spec: Any, name: str, wall: Wall) -> None:
    turn = [np.cos(wall.yaw / 2), 0, 0, np.sin(wall.yaw / 2)]
    _add_surface(spec, name, wall.surface, plane=False)
    _add_slab(spec, name, (1.0, 24.0, 16.0), 1 / wall.surface.tile)
    inward = np.array([np.cos(wall.yaw), np.sin(wall.yaw)])
    _add_mesh_geom(spec, name, [*(wall.foot - 0.5 * inward), 0], turn)
    along = np.array([-inward[1], inward[0]])
    for number, panel in enumerate(wall.panels):
        at = [*(np.asarray(wall.foot) + panel.at[0] * along), panel.at[1]]
        if panel.texture is None:
            half = [0.5 * side for side in panel.size]
            cube = mj.mjtGeom.mjGEOM_BOX
            _add_geom(
                spec.worldbody, type=cube, size=half, pos=at, quat=turn, rgba=[*panel.color, 1]
            )
            continue
        part = f"{name}panel{number}"
        _add_texture(spec, part, panel.texture)
        material = spec.add_material(name=part, specular=0.1, emission=panel.emission)
        material.textures[mj.mjtTextureRole.mjTEXROLE_RGB] = part
        _add_slab(spec, part, panel.size)
        _add_mesh_geom(spec, part, at, turn)


def _add_mesh_geom(spec: Any, name: str, at: Any, turn: Any) -> None:
    """Show the mesh and the material called `name`."""
    mesh = mj.mjtGeom.mjGEOM_MESH
    _add_geom(spec.worldbody, type=mesh, meshname=name, pos=at, quat=turn, material=name)


def _add_slab(
    spec: Any, name: str, size: tuple[float, float, float], repeats: float | None = None
) -> None:
    """A box mesh; its texture covers each face, or repeats so often a metre."""
    slab = box(size, (0, 0, 0), Material())
    uv = slab.uv
    if repeats is not None:
        across = np.abs(slab.normals[:, 2:]) > 0.5  # top and bottom
        uv = np.where(across, slab.vertices[:, :2], slab.vertices[:, 1:]) * repeats
    spec.add_mesh(
        name=name,
        uservert=slab.vertices.ravel(),
        usernormal=slab.normals.ravel(),
        usertexcoord=uv.ravel(),
        userface=slab.faces.ravel(),
    )


def _add_geom(body: Any, **fields: Any) -> None:
    body.add_geom(contype=0, conaffinity=0, **fields)


def _add_surface(spec: Any, name: str, surface: Surface, *, plane: bool) -> None:
    _add_texture(spec, name, surface.texture)
    material = spec.add_material(
        name=name,
        # Planes repeat per metre; meshes bring their own coordinates.
        texrepeat=[1 / surface.tile] * 2 if plane else [1, 1],
        texuniform=plane,
        specular=0.1,
        shininess=0.2,
    )
    material.textures[mj.mjtTextureRole.mjTEXROLE_RGB] = name


def _add_texture(spec: Any, name: str, image: Image) -> None:
    height, width = image.shape[:2]
    texture = spec.add_texture(
        name=name, type=mj.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=3
    )
    # Texture coordinate v = 0 is the picture's first row; ours rises from the bottom.
    texture.data = np.ascontiguousarray(image[::-1]).tobytes()


def _add_object(spec: Any, number: int, item: MadeObject) -> None:
    """Add a posable body whose geoms each join all parts of one material."""
    body = spec.worldbody.add_body(name=f"object{number}", mocap=True)
    groups: dict[int, tuple[Material, list[Part]]] = {}
    textures: dict[int, str] = {}
    for part in item.parts:
        groups.setdefault(id(part.material), (part.material, []))[1].append(part)
    for k, (look, parts) in enumerate(groups.values()):
        name = f"object{number}_{k}"
        starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        faces = [part.faces + start for part, start in zip(parts, starts, strict=False)]
        mesh = spec.add_mesh(
            name=name,
            uservert=np.concatenate([part.vertices for part in parts]).ravel(),
            usernormal=np.concatenate([part.normals for part in parts]).ravel(),
            usertexcoord=np.concatenate([part.uv for part in parts]).ravel(),
            userface=np.concatenate(faces).ravel(),
        )
        mesh.inertia = mj.mjtMeshInertia.mjMESH_INERTIA_SHELL
        material = spec.add_material(
            name=name,
            rgba=[*look.color, 1],
            specular=look.specular,
            shininess=look.shininess,
            emission=look.emission,
        )
        if look.texture is not None:
            if id(look.texture) not in textures:
                _add_texture(spec, name, look.texture)
            texture = textures.setdefault(id(look.texture), name)
            material.textures[mj.mjtTextureRole.mjTEXROLE_RGB] = texture
        _add_geom(body, type=mj.mjtGeom.mjGEOM_MESH, meshname=name, material=name)
